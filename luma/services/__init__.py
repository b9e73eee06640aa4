"""What LUMA does: plain functions, one module per subject."""
