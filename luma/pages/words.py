"""How pages say lengths, counts and dates: one wording for all of them."""

from datetime import datetime, timedelta


def counted(number: int, one: str, many: str | None = None) -> str:
    """ "1 lesson", "1,200 lessons"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def length(seconds: int) -> str:
    """For a whole course: "45 min", "3 h 20 min". Empty when nothing is known."""
    if seconds <= 0:
        return ""
    hours, minutes = divmod(max(1, round(seconds / 60)), 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours:,} h {minutes} min" if minutes else f"{hours:,} h"


def extent(lessons: int, seconds: int) -> str:
    """How much there is of a course: "3 h 20 min · 24 lessons"."""
    known = f"{length(seconds)} · " if seconds else ""
    return known + counted(lessons, "lesson")


def clock(seconds: int) -> str:
    """For a lesson or a place in it, as players show it: "4:05", "1:02:03"."""
    hours, rest = divmod(max(0, seconds), 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def span(seconds: int) -> str:
    """ISO 8601, for machines: "PT3H20M"."""
    hours, minutes = divmod(max(1, round(seconds / 60)), 60)
    return f"PT{hours}H{minutes}M" if hours else f"PT{minutes}M"


def day(moment: datetime) -> str:
    """ "23 November 2026"."""
    return f"{moment.day} {moment:%B %Y}"


def last_day(end: datetime) -> str:
    """Of something that ends at midnight: "3 December 2026" when it ends as the 4th begins."""
    return day(end - timedelta(seconds=1))


def ago(now: datetime, moment: datetime) -> str:
    """ "just now", "3 hours ago"; after a month the day itself."""
    minutes = int((now - moment).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{counted(minutes, 'minute')} ago"
    if minutes < 24 * 60:
        return f"{counted(minutes // 60, 'hour')} ago"
    if minutes < 30 * 24 * 60:
        return f"{counted(minutes // (24 * 60), 'day')} ago"
    return day(moment)
