"""The log: every decision, in an append-only Merkle tree that anyone can check. See `log.py`."""
