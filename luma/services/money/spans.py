"""Which days a look at sales covers, and the days before that it is compared with. All in UTC."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

DAY = timedelta(days=1)
LENGTHS = {"7": 7, "30": 30, "90": 90, "year": 365}
USUAL = "30"
OWN = "own"
MOST_DAYS = 5 * 366
DAILY_UP_TO = 92
WEEKLY_UP_TO = 400
EARLIEST, LATEST = date(2000, 1, 1), date(2200, 1, 1)
DAY_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)

UNREADABLE = "Write both days like 2026-11-23. Until then the last 30 days are shown."
TURNED = "The first day is after the last one. Until that is mended the last 30 days are shown."
TOO_LONG = "At most five years are shown at once. Until then the last 30 days are shown."


@dataclass(frozen=True, slots=True)
class Span:
    """From the beginning of `first` to the end of `last`."""

    choice: str
    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def start(self) -> datetime:
        return _midnight(self.first)

    @property
    def end(self) -> datetime:
        """The first moment that is not in it any more."""
        return _midnight(self.last + DAY)

    @property
    def before(self) -> "Span":
        """As many days, right before."""
        return Span(self.choice, self.first - self.days * DAY, self.first - DAY)

    @property
    def step(self) -> str:
        """How the chart parts it: day, week or month."""
        if self.days <= DAILY_UP_TO:
            return "day"
        return "week" if self.days <= WEEKLY_UP_TO else "month"

    def parts(self) -> Iterator[tuple[date, date]]:
        """First and last day of each part of the chart; those at the ends may be shorter."""
        first = self.first
        while first <= self.last:
            last = min(self._end_of_part(first), self.last)
            yield first, last
            first = last + DAY

    def _end_of_part(self, first: date) -> date:
        if self.step == "day":
            return first
        if self.step == "week":
            return first + 6 * DAY
        return (first.replace(day=1) + 31 * DAY).replace(day=1) - DAY


def read(choice: str, first: str, last: str, today: date) -> tuple[Span, str]:
    """What an address asks for, and a sentence when that could not be read."""
    if choice == OWN:
        return _own(first, last, today)
    length = LENGTHS.get(choice)
    return (_latest(choice, length, today), "") if length else (usual(today), "")


def usual(today: date) -> Span:
    return _latest(USUAL, LENGTHS[USUAL], today)


def _own(first: str, last: str, today: date) -> tuple[Span, str]:
    try:
        span = Span(OWN, _day(first), _day(last))
    except ValueError:
        return usual(today), UNREADABLE
    if span.first > span.last:
        return usual(today), TURNED
    if span.days > MOST_DAYS:
        return usual(today), TOO_LONG
    return span, ""


def _day(text: str) -> date:
    day = date.fromisoformat(text) if DAY_FORM.fullmatch(text) else date.min
    if not EARLIEST <= day <= LATEST:
        raise ValueError(text[:20])
    return day


def _latest(choice: str, length: int, today: date) -> Span:
    return Span(choice, today - (length - 1) * DAY, today)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
