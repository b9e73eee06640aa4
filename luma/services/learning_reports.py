"""What a browser reports about a video, and the arithmetic of what was watched."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Integer,
    SQLColumnExpression,
    and_,
    bindparam,
    case,
    cast,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import INT4MULTIRANGE, INT4RANGE, Range, insert
from sqlalchemy.dialects.postgresql.ranges import MultiRange
from sqlalchemy.orm import Session

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
    watched: SQLColumnExpression[Sequence[Range[int]]], span: ColumnElement[Range[int]]
) -> Seconds:
    """How many percent of the span are covered; 0 when the span is empty."""
    inside = watched * func.int4multirange(span, type_=INT4MULTIRANGE)
    piece = func.unnest(inside, type_=INT4RANGE).column_valued("piece")
    seconds = func.coalesce(func.sum(func.upper(piece) - func.lower(piece)), 0)
    covered = select(seconds).correlate(LessonProgress, Lesson).scalar_subquery()
    length = func.upper(span) - func.lower(span)
    return func.coalesce(covered * 100 // func.nullif(length, 0), 0)


_END = cast(Lesson.video_start + Lesson.duration, Integer)
SEEN_OF_LESSON = seen(
    LessonProgress.watched,
    func.int4range(cast(Lesson.video_start, Integer), _END, type_=INT4RANGE),
)
"""Percent, as far as the lesson's author has said how long it is."""

_WATCHED = bindparam("watched", type_=INT4MULTIRANGE)
_SPAN = bindparam("span", type_=INT4RANGE)
_THEN = bindparam("then", type_=DateTime(timezone=True))
_NOW = bindparam("now", type_=DateTime(timezone=True))

_together = LessonProgress.watched + _WATCHED
_reaches = and_(
    LessonProgress.completed_at.is_(None),
    seen(LessonProgress.watched, _SPAN) < ENOUGH,
    seen(_together, _SPAN) >= ENOUGH,
)
_position = bindparam("position", type_=BigInteger)
_NOTE = (
    insert(LessonProgress)
    .values(
        student_id=bindparam("student"),
        lesson_id=bindparam("lesson"),
        position=_position,
        watched=_WATCHED,
        completed_at=case((seen(_WATCHED, _SPAN) >= ENOUGH, _NOW), else_=None),
        updated_at=_THEN,
    )
    .on_conflict_do_update(
        index_elements=["student_id", "lesson_id"],
        set_={
            "watched": _together,
            "position": case(
                (LessonProgress.updated_at <= _THEN, _position), else_=LessonProgress.position
            ),
            "updated_at": func.greatest(LessonProgress.updated_at, _THEN),
            "completed_at": case((_reaches, _NOW), else_=LessonProgress.completed_at),
        },
    )
    .returning(LessonProgress.completed_at, seen(LessonProgress.watched, _SPAN))
)


def note(
    session: Session, student_id: int, lesson: "Part", report: Report, now: datetime
) -> tuple[datetime | None, int]:
    """When the lesson was completed, and the percentage seen.

    One statement, so that reports from two windows add up.
    """
    completed_at, percent = session.execute(
        _NOTE,
        {
            "student": student_id,
            "lesson": lesson.id,
            "position": report.position,
            "watched": report.watched,
            "span": lesson.span(report.length),
            "then": now - timedelta(seconds=report.age),
            "now": now,
        },
    ).one()
    return completed_at, percent


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a video that is a lesson; `seconds` is 0 while nobody has said how long."""

    id: int
    start: int
    seconds: int

    def span(self, length: int) -> Range[int]:
        """From where it starts, for as long as it says, never past the end of the video."""
        ends = [self.start + self.seconds] if self.seconds else []
        ends += [length] if length > self.start else []
        return Range(self.start, min(ends, default=self.start))


def _second(value: object) -> int:
    return texts.whole_number(value, "A place in a video", 0, LONGEST_VIDEO)


def _piece(pair: object) -> Range[int]:
    if not isinstance(pair, list) or len(pair) != 2:
        raise RuleBroken("A watched piece has a beginning and an end.")
    first, last = _second(pair[0]), _second(pair[1])
    if first >= last:
        raise RuleBroken("A watched piece ends after it begins.")
    return Range(first, last)
