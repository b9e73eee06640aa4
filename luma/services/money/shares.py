"""Who gets what of a payment: whole minor units in the currency of settlement, nothing lost.

    instructor = base - floor(base * bps / 10000), where the base is without tax

The gateway's fee is the platform's, so it does not lower anybody's share. What goes back is
counted from the whole that has gone back so far, so that many partial refunds never drift.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shares:
    """Of one payment. `rest` is the platform's fee, or all but tax where nothing is clear."""

    paid: int
    """In minor units of the currency that was paid in; the others are in that of settlement."""
    tax: int
    instructor: int
    rest: int

    @property
    def settled(self) -> int:
        return self.tax + self.instructor + self.rest

    def gone(self, back: int) -> "Gone":
        """The parts that have gone back once `back` of what was paid has."""
        paid, back = max(self.paid, 1), min(max(back, 0), self.paid)
        return Gone(*(part * back // paid for part in (self.settled, self.tax, self.instructor)))


@dataclass(frozen=True, slots=True)
class Gone:
    settled: int = 0
    tax: int = 0
    instructor: int = 0

    @property
    def rest(self) -> int:
        return self.settled - self.tax - self.instructor

    def __sub__(self, other: "Gone") -> "Gone":
        return Gone(
            self.settled - other.settled,
            self.tax - other.tax,
            self.instructor - other.instructor,
        )


def of(paid: int, settled: int, tax_paid: int, fee_bps: int, *, is_clear: bool = True) -> Shares:
    """Share out what a payment settled to, before the gateway's fee.

    `tax_paid` is in the currency that was paid in, like `paid`.
    """
    tax = settled * min(tax_paid, paid) // max(paid, 1)
    base = settled - tax
    fee = base * fee_bps // 10_000 if is_clear else base
    return Shares(paid, tax, base - fee, fee)
