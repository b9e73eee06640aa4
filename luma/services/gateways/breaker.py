"""A service that failed several times in a row is left alone for a while, then tried once."""

import time

FAILURES = 5
PAUSE = 60.0
"""Seconds; then one question is let through, and its answer decides."""


class Breaker:
    def __init__(self) -> None:
        self._failures = 0
        self._opened_at = 0.0

    def lets_through(self) -> bool:
        """After the pause the first who asks is the trial; the others wait another pause."""
        if self._failures < FAILURES:
            return True
        now = time.monotonic()
        if now - self._opened_at < PAUSE:
            return False
        self._opened_at = now
        return True

    def failed(self) -> None:
        self._failures += 1
        self._opened_at = time.monotonic()

    def worked(self) -> None:
        self._failures = 0
