"""Every door of LUMA, and who may go through it with whose things."""
