"""What every back end of a kind must keep."""
