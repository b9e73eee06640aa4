"""Arithmetic on measurements."""

from collections.abc import Sequence


def percentile(values: Sequence[float], percent: int) -> float:
    """The nearest one that was really measured."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]
