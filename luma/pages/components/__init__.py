"""Pieces of NiceGUI pages."""
