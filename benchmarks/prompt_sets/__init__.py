"""Reads folders of prompts, labelled or not, and counts what the policy makes of them."""
