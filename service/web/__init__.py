"""One plain page for people: ask, watch, read why, see the film. No script, no other origin."""
