"""Money after the sale: what goes back, what is asked for, and what it changes."""
