"""Text that is to be read in pictures: found, read, joined over time and judged like a prompt."""
