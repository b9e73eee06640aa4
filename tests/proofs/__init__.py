"""Proof that money and access end up right, whatever arrives in whatever order: docs/payments.md
says which test stands for which row of the plan."""
