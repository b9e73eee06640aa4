"""How many stars a course has: kept on the course, so that no page has to add them up."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.review import Review

ENOUGH = 3
"""Fewer reviews than this are no average: one friend or one foe would make it."""


@dataclass(frozen=True, slots=True)
class Rating:
    """`bars` says how many reviews have one star, two stars, up to five."""

    sum: int
    count: int
    bars: tuple[int, ...] = (0, 0, 0, 0, 0)

    @property
    def is_shown(self) -> bool:
        return self.count >= ENOUGH

    @property
    def average(self) -> str:
        """With one decimal, halves rounded up: "4.7". "0.0" without reviews."""
        whole, tenth = divmod((20 * self.sum + self.count) // (2 * self.count or 1), 10)
        return f"{whole}.{tenth}"

    def percent(self, stars: int) -> int:
        return 100 * self.bars[stars - 1] // (self.count or 1)


NONE = Rating(0, 0)


def of(total: int, count: int, bars: Sequence[int] = NONE.bars) -> Rating:
    return Rating(total, count, tuple(bars))


def lock(session: Session, course_id: int) -> None:
    """Whoever changes reviews of a course takes their turn, so that no star is counted twice."""
    session.execute(select(Course.id).where(Course.id == course_id).with_for_update(key_share=True))


def recount(session: Session, course_id: int) -> None:
    """Write the stars of the reviews that are shown onto the course. Its lock must be held."""
    session.flush()
    bars = session.execute(
        select(*(func.count().filter(Review.stars == stars) for stars in range(1, 6))).where(
            Review.course_id == course_id, Review.hidden_at.is_(None)
        )
    ).one()
    total = sum(stars * many for stars, many in enumerate(bars, 1))
    session.execute(
        update(Course)
        .where(Course.id == course_id)
        .values(rating_sum=total, rating_count=sum(bars), rating_bars=list(bars))
    )
