"""Feedback between students and their instructor: the form, the sheets, what comes out of them."""
