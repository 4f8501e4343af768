"""What we were asked not to make."""
