"""What a browser reports about a video, and the arithmetic of what was watched."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Integer, SQLColumnExpression, cast, func, literal, select
from sqlalchemy.dialects.postgresql import INT4MULTIRANGE, INT4RANGE, Range
from sqlalchemy.dialects.postgresql.ranges import MultiRange

from luma.errors import RuleBroken
from luma.models.course import Lesson
from luma.models.progress import LessonProgress
from luma.services import texts

ENOUGH = 90
"""Percent of a lesson's video that must have been watched for it to count as done."""

LONGEST_VIDEO = 360_000
MOST_PIECES = 200
OLDEST = 60 * 60 * 24 * 30

Seconds = ColumnElement[int]


@dataclass(frozen=True, slots=True)
class Report:
    """Where a video is and which pieces of it were watched.

    `length` is the video's true length, 0 while unknown; `age` counts seconds since it was so.
    """

    position: int
    watched: MultiRange[int]
    length: int
    age: int

    @classmethod
    def read(cls, position: object, watched: object, length: object, age: object) -> "Report":
        """Raises RuleBroken for anything but small whole numbers and pairs of them."""
        if not isinstance(watched, list) or len(watched) > MOST_PIECES:
            raise RuleBroken("What was watched must be a short list of pieces.")
        return cls(
            position=_second(position),
            watched=MultiRange(_piece(pair) for pair in watched),
            length=_second(length),
            age=texts.whole_number(age, "Age of the report", 0, OLDEST),
        )


def seen(
    watched: SQLColumnExpression[list[Range[int]]], span: ColumnElement[Range[int]]
) -> Seconds:
    """How many percent of the span are covered; 0 when the span is empty."""
    inside = watched * func.int4multirange(span, type_=INT4MULTIRANGE)
    piece = func.unnest(inside, type_=INT4RANGE).column_valued("piece")
    seconds = func.coalesce(func.sum(func.upper(piece) - func.lower(piece)), 0)
    covered = select(seconds).correlate(LessonProgress, Lesson).scalar_subquery()
    length = func.upper(span) - func.lower(span)
    return func.coalesce(covered * 100 // func.nullif(length, 0), 0)


def seen_of_lesson() -> Seconds:
    """Percent, as far as the lesson's author has said how long it is."""
    start, end = (
        cast(Lesson.video_start, Integer),
        cast(Lesson.video_start + Lesson.duration, Integer),
    )
    return seen(LessonProgress.watched, func.int4range(start, end, type_=INT4RANGE))


def span(start: int, seconds: int, length: int) -> ColumnElement[Range[int]]:
    """From where the lesson starts, for as long as it says, never past the end of the video."""
    ends = [end for end in (start + seconds if seconds else 0, length) if end > start]
    return literal(Range(start, min(ends, default=start)), INT4RANGE)


def _second(value: object) -> int:
    return texts.whole_number(value, "A place in a video", 0, LONGEST_VIDEO)


def _piece(pair: object) -> Range[int]:
    if not isinstance(pair, list) or len(pair) != 2:
        raise RuleBroken("A watched piece has a beginning and an end.")
    first, last = _second(pair[0]), _second(pair[1])
    if first >= last:
        raise RuleBroken("A watched piece ends after it begins.")
    return Range(first, last)
