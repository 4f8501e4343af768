"""Say where a file came from, in ways that survive."""
