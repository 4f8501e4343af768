"""Finding entries: an index of terms beside the log, made from the leaves and never believed.

The log does not wait for it: it is brought up to date when nothing else is to be written, and
before a question is answered. What it finds is held against the tree; `Rehash` says that it does
not check whether the index hides something, and `TermIndex.forget` has it made anew.
"""
