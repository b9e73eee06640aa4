"""Figures as a drawing: where the bars of a chart stand, and how a change is said."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from luma.services.money.figures import Bar, Block
from luma.services.money.spans import Span
from luma.values import Money

HEIGHT = 1000
MUCH = 1000
"""From so many percent on, only the amounts say something."""

STEP = 100
"""How wide a part is, in the drawing's own units; the browser stretches it."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One part: a wide pale bar for what came in, a narrow one for what is left of it."""

    x: int
    words: str
    gross_y: int
    gross_height: int
    net_y: int
    net_height: int


@dataclass(frozen=True, slots=True)
class Chart:
    width: int
    zero: int
    """Where nothing is, from above."""
    top: Money
    low: Money | None
    """The deepest loss, None when there is none."""
    parts: tuple[Drawn, ...]
    ticks: tuple[str, ...]


def drawn(block: Block, span: Span) -> Chart:
    highest = max(1, *(max(bar.figures.gross, bar.figures.net) for bar in block.bars))
    lowest = min(0, *(bar.figures.net for bar in block.bars))
    whole = highest - lowest

    def y(minor: int) -> int:
        return (highest - minor) * HEIGHT // whole

    return Chart(
        width=STEP * len(block.bars),
        zero=y(0),
        top=block.money(highest),
        low=block.money(lowest) if lowest else None,
        parts=tuple(
            Drawn(
                x=STEP * place,
                words=_words(block, bar, span.step),
                gross_y=y(bar.figures.gross),
                gross_height=y(0) - y(bar.figures.gross),
                net_y=y(max(0, bar.figures.net)),
                net_height=abs(y(0) - y(bar.figures.net)),
            )
            for place, bar in enumerate(block.bars)
        ),
        ticks=tuple(_ticks(span)),
    )


def part_words(bar: Bar, step: str) -> str:
    """What a part of the chart covers: "23 Nov 2026", "17 to 23 Nov 2026", "November 2026"."""
    if step == "day" or bar.first == bar.last:
        return day(bar.first)
    is_whole = bar.first.day == 1 and bar.first.month == bar.last.month
    if step == "month" and is_whole:
        return f"{bar.first:%B %Y}"
    return f"{day(bar.first)} to {day(bar.last)}"


def day(moment: date) -> str:
    return f"{moment.day} {moment:%b %Y}"


def change(now: int, before: int, was: str) -> tuple[str, str]:
    """up, down or same; and in words. `was` is the figure of the time before."""
    if now == before:
        return "same", "same as before"
    way = "up" if now > before else "down"
    if before == 0:
        return way, f"{way} from {was}"
    percent = abs(now - before) * 100 // abs(before)
    much = f" {percent or 'under 1'} %" if percent < MUCH else ""
    return way, f"{way}{much} from {was}"


def points(now: int, before: int) -> tuple[str, str]:
    """The same for a rate in tenths of a percent."""
    if now == before:
        return "same", "same as before"
    return ("up" if now > before else "down"), f"from {tenths(before)} before"


def tenths(rate: int) -> str:
    whole, tenth = divmod(rate, 10)
    return f"{whole}.{tenth} %" if tenth else f"{whole} %"


def _words(block: Block, bar: Bar, step: str) -> str:
    figures = bar.figures
    gross, net = block.money(figures.gross).words(), block.money(figures.net).words()
    return f"{part_words(bar, step)}: gross {gross}, net {net}"


def _ticks(span: Span) -> Iterator[str]:
    """The first, the middle and the last day."""
    yield day(span.first)
    if span.days > 2:
        yield day(span.first + (span.last - span.first) // 2)
    if span.days > 1:
        yield day(span.last)
