"""How long things are kept, and who may end that: erasure, legal hold, retention, disclosure.

An erasure destroys keys and never a proof; a hold, which takes two people, keeps what it covers
until two people end it; a sweep drops private values whose term is over and says so in the log.
docs/retention.md is the whole of it in words.
"""
