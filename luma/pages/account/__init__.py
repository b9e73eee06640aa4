"""A person's own account: `/account` and what it leads to."""
