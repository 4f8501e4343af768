"""Clips with writing in them, drawn for benchmarks/frames.py and the tests."""
