"""LUMA: a course marketplace that anyone can run."""
