"""How a visitor stands to a course: the one thing they can do on its page."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Buy:
    """For money, or for nothing when the course is free."""


@dataclass(frozen=True, slots=True)
class Pending:
    """Paid by a method that takes days to confirm."""

    order_id: str


@dataclass(frozen=True, slots=True)
class Continue:
    """The course is theirs. `lesson_id` is the one to open; None while there is no lesson.

    `position` is the second in the lesson.
    """

    lesson_id: str | None
    lesson: str
    position: int
    started: bool


@dataclass(frozen=True, slots=True)
class Teach:
    """The viewer's own course."""


Door = Buy | Pending | Continue | Teach
