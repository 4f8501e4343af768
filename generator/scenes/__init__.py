"""Physics drawn and heard by rule: a renderer, which is not a model and is never called one."""
