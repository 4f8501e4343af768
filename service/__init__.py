"""Composes the five rooms and serves them. Start with `service/pipeline.py`."""
