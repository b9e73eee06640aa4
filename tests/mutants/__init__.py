"""LUMA with one safeguard taken out, again and again: each time a test must turn red."""
