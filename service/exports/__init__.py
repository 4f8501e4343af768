"""The log in a file that proves itself: everything that was asked for, in a format of one's own."""
