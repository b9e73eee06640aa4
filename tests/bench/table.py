"""Rows of measurements with their budgets, and the table they are shown in."""

from collections.abc import Iterable
from dataclasses import dataclass

HEAD = ("measure", "LUMA", "floor", "budget", "")


@dataclass(frozen=True, slots=True)
class Row:
    """`most` and `least` are budgets, in the unit of `value`. Without one it is only told."""

    what: str
    value: float
    unit: str = ""
    most: float | None = None
    least: float | None = None
    floor: float | None = None

    @property
    def is_over(self) -> bool:
        above = self.most is not None and self.value > self.most
        return above or (self.least is not None and self.value < self.least)

    def cells(self) -> tuple[str, str, str, str, str]:
        budget = ""
        if self.most is not None:
            budget = f"≤ {self._with_unit(self.most)}"
        if self.least is not None:
            budget = f"≥ {self._with_unit(self.least)}"
        floor = "" if self.floor is None else self._with_unit(self.floor)
        verdict = "" if not budget else "over" if self.is_over else "ok"
        return self.what, self._with_unit(self.value), floor, budget, verdict

    def _with_unit(self, value: float) -> str:
        number = f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2g}"
        number = f"{value:.1f}" if 10 <= value < 100 and value != int(value) else number
        return f"{number} {self.unit}".rstrip() if self.unit != "×" else f"{value:.2f}×"


def line(row: Row) -> str:
    """One row for a terminal."""
    what, value, floor, budget, verdict = row.cells()
    return f"{what:<66} {value:>11} {floor:>11} {budget:>13}  {verdict}"


def head() -> str:
    what, value, floor, budget, _ = HEAD
    return f"{what:<66} {value:>11} {floor:>11} {budget:>13}"


def markdown(rows: Iterable[Row]) -> str:
    lines = [HEAD, ("---", "--:", "--:", "--:", "---"), *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
