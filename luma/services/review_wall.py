"""The reviews of a course as anybody reads them, and as an analysis does."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Select, and_, bindparam, exists, select
from sqlalchemy.orm import Session

from luma.models.progress import Enrolment
from luma.models.review import Review, ReviewVote
from luma.models.user import User
from luma.values import EnrolmentSource

PAGE = 8
WINDOW = 10
"""Pages shown at once at most; beyond that the first ones give way."""
FORMER = "A former student"

Sort = Literal["newest", "helpful"]


@dataclass(frozen=True, slots=True)
class ReviewCard:
    id: str
    writer: str
    """First name and initial; nobody is found by a review."""
    mark: str
    """How the writer came to the course, while it is theirs; else empty."""
    stars: int
    text: str
    written_at: datetime
    is_changed: bool
    reply: str
    replied_at: datetime | None
    helpful: int
    is_mine: bool
    has_my_vote: bool


@dataclass(frozen=True, slots=True)
class MyCard:
    """The viewer's own review, which they see even when nobody else does."""

    stars: int
    text: str
    hidden_reason: str


@dataclass(frozen=True, slots=True)
class Wall:
    cards: tuple[ReviewCard, ...] = ()
    first_page: int = 1
    has_more: bool = False
    mine: MyCard | None = None


@dataclass(frozen=True, slots=True)
class ReviewWords:
    id: str
    stars: int
    text: str


MARKS = {
    EnrolmentSource.PURCHASE: "Bought this course",
    EnrolmentSource.FREE: "Enrolled",
}
SHOWN = and_(Review.hidden_at.is_(None), Review.text != "")
ORDERS: dict[Sort, tuple[Any, ...]] = {
    "newest": (Review.created_at.desc(), Review.id.desc()),
    "helpful": (Review.helpful.desc(), Review.created_at.desc(), Review.id.desc()),
}


def wall(
    session: Session, course_id: int, viewer_id: int | None, sort: Sort = "newest", page: int = 1
) -> Wall:
    """The pages up to the wished one. Reviews of stars alone only count in the average."""
    first_page = max(1, page - WINDOW + 1)
    size = (page - first_page + 1) * PAGE
    asked = {"course": course_id, "viewer": viewer_id or 0}
    rows = session.execute(
        _CARDS.order_by(*ORDERS[sort]).offset((first_page - 1) * PAGE).limit(size + 1), asked
    ).all()
    cards = tuple(_card(row, viewer_id) for row in rows[:size])
    mine = _mine(session, course_id, viewer_id) if viewer_id else None
    return Wall(cards, first_page, len(rows) > size, mine)


def for_analysis(session: Session, course_id: int) -> list[ReviewWords]:
    """What is said in public, without who says it."""
    rows = session.execute(
        select(Review.public_id, Review.stars, Review.text)
        .where(Review.course_id == course_id, Review.hidden_at.is_(None))
        .order_by(Review.id)
    )
    return [ReviewWords(*row) for row in rows]


def signed(name: str | None) -> str:
    """ "Anna Maria Berg" signs as "Anna B."; who has left the school has no name."""
    if name is None:
        return FORMER
    first, *rest = name.split()
    return f"{first} {rest[-1][0].upper()}." if rest else first


_VOTED = exists().where(
    ReviewVote.review_id == Review.id, ReviewVote.voter_id == bindparam("viewer")
)
_CARDS: Select[*tuple[Any, ...]] = (
    select(Review, User.name, Enrolment.source)
    .add_columns(_VOTED)
    .outerjoin(User, User.id == Review.student_id)
    .outerjoin(
        Enrolment,
        and_(
            Enrolment.student_id == Review.student_id,
            Enrolment.course_id == Review.course_id,
            Enrolment.active,
        ),
    )
    .where(Review.course_id == bindparam("course"), SHOWN)
)


def _card(row: Any, viewer_id: int | None) -> ReviewCard:
    review, name, source, has_my_vote = row
    return ReviewCard(
        id=review.public_id,
        writer=signed(name),
        mark=MARKS.get(source, ""),
        stars=review.stars,
        text=review.text,
        written_at=review.created_at,
        is_changed=review.updated_at > review.created_at,
        reply=review.reply or "",
        replied_at=review.replied_at,
        helpful=review.helpful,
        is_mine=viewer_id is not None and review.student_id == viewer_id,
        has_my_vote=has_my_vote,
    )


def _mine(session: Session, course_id: int, viewer_id: int) -> MyCard | None:
    row = session.execute(
        select(Review.stars, Review.text, Review.hidden_reason).where(
            Review.course_id == course_id, Review.student_id == viewer_id
        )
    ).one_or_none()
    return MyCard(row[0], row[1], row[2] or "") if row else None
