"""The shop window: plain HTML that needs no script."""
