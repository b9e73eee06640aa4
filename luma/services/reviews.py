"""Reviews: written by the enrolled, one each, and theirs to change and take back."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from luma.errors import NotAllowed, NotFound, RuleBroken
from luma.models.course import Course
from luma.models.progress import Enrolment
from luma.models.review import Review
from luma.services import clock, learning_outline, letters, policies, ratings, texts
from luma.services.policies import Actor

LONGEST = 4_000
ASKED_AT = 30
"""Percent of a course after which its students are asked what they think of it."""

NO_COURSE = "There is no such course."
ONLY_STUDENTS = "Only students of this course can review it."


@dataclass(frozen=True, slots=True)
class MyReview:
    """What somebody has written about a course; `stars` is 0 while they have not."""

    slug: str
    course: str
    stars: int = 0
    text: str = ""
    reply: str = ""
    hidden_reason: str = ""

    @property
    def is_written(self) -> bool:
        return self.stars > 0


@dataclass(frozen=True, slots=True)
class Written:
    """A review as its writer takes it along."""

    course: str
    stars: int
    text: str
    reply: str
    hidden_reason: str
    created_at: datetime
    updated_at: datetime


def mine(session: Session, actor: Actor, slug: object) -> MyReview:
    """For the form. Raises NotAllowed for who neither learns the course nor has reviewed it."""
    course = _course(session, slug)
    review = _of(session, actor, course)
    if review is None:
        _ensure_enrolled(session, actor, course)
        return MyReview(course.slug, course.title)
    return MyReview(
        slug=course.slug,
        course=course.title,
        stars=review.stars,
        text=review.text,
        reply=review.reply or "",
        hidden_reason=review.hidden_reason or "",
    )


def write(session: Session, actor: Actor, slug: object, stars: object, text: object) -> None:
    """Say what one thinks, or something else than before. Raises NotAllowed unless enrolled."""
    course = _course(session, slug)
    _ensure_enrolled(session, actor, course)
    count = _stars(stars)
    words = texts.body(text, "Review", LONGEST)
    ratings.lock(session, course.id)
    now = clock.now()
    review = _of(session, actor, course)
    if review is None:
        session.add(
            Review(
                course_id=course.id,
                student_id=actor.id,
                stars=count,
                text=words,
                created_at=now,
                updated_at=now,
            )
        )
        _tell(session, actor, course, count, words)
    else:
        review.rewrite(count, words, now)
    ratings.recount(session, course.id)


def remove(session: Session, actor: Actor, slug: object) -> None:
    """Take back what one wrote; also after the course is no longer theirs. Twice does no harm.

    Of a review that an admin has hidden only the words go: a new one in its place stays hidden.
    """
    course = _course(session, slug)
    ratings.lock(session, course.id)
    review = _of(session, actor, course)
    if review is None:
        return
    if review.hidden_at is None:
        session.delete(review)
    else:
        review.rewrite(review.stars, "", clock.now())
    ratings.recount(session, course.id)


def put_off(session: Session, actor: Actor, slug: object) -> None:
    """Not now: asked again at the end of the course, and after that no more."""
    course = _course(session, slug)
    done = learning_outline.progress(session, actor, course.id).percent
    session.execute(
        update(Enrolment)
        .where(Enrolment.student_id == actor.id, Enrolment.course_id == course.id)
        .values(review_refused=func.greatest(Enrolment.review_refused, max(done, ASKED_AT)))
    )


def asks_from(refused_at: int, *, is_written: bool) -> int | None:
    """The percentage of the course from which its student is asked for a review; None: never."""
    if is_written or refused_at >= 100:
        return None
    return 100 if refused_at else ASKED_AT


def forget_writer(session: Session, user_id: int) -> None:
    """For an account that is being deleted: the words stay, nobody's name is on them."""
    session.execute(update(Review).where(Review.student_id == user_id).values(student_id=None))


def written_by(session: Session, user_id: int) -> list[Written]:
    """For the download of one's own data."""
    rows = session.execute(
        select(Review, Course.title)
        .join(Course, Course.id == Review.course_id)
        .where(Review.student_id == user_id)
        .order_by(Review.id)
    )
    return [
        Written(
            course=title,
            stars=review.stars,
            text=review.text,
            reply=review.reply or "",
            hidden_reason=review.hidden_reason or "",
            created_at=review.created_at,
            updated_at=review.updated_at,
        )
        for review, title in rows
    ]


def _tell(session: Session, actor: Actor, course: Course, stars: int, words: str) -> None:
    """Once per student and course, however often they take it back and write anew."""
    letters.write(
        session,
        course.instructor_id,
        "review-new",
        subject=f"A new review of “{course.title}”",
        text=f"{stars} of 5 stars.\n\n{words}".strip(),
        button=("Read the reviews", f"/courses/{course.slug}#reviews"),
        once=f"review-new-{course.id}-{actor.id}",
    )


def _course(session: Session, slug: object) -> Course:
    course = session.scalar(
        select(Course).where(Course.slug == texts.key(slug), Course.deleted_at.is_(None))
    )
    if course is None:
        raise NotFound(NO_COURSE)
    return course


def _ensure_enrolled(session: Session, actor: Actor, course: Course) -> None:
    if course.instructor_id == actor.id:
        raise NotAllowed("You teach this course: what it is worth, others say.")
    if not policies.is_enrolled(session, actor.id, course.id):
        raise NotAllowed(ONLY_STUDENTS)


def _of(session: Session, actor: Actor, course: Course) -> Review | None:
    return session.scalar(
        select(Review)
        .where(Review.student_id == actor.id, Review.course_id == course.id)
        .execution_options(populate_existing=True)
    )


def _stars(said: object) -> int:
    try:
        return texts.whole_number(said, "Stars", 1, 5)
    except RuleBroken as error:
        raise RuleBroken("Choose how many stars you give, from 1 to 5.") from error
