"""The instructor's workshop."""
