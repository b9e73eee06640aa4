"""The attacks that the guard is for, run against real servers."""
