"""A school in which everything is somebody's, and marked so that it is known where it leaks."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from luma.models.assistant import CallPurpose
from luma.models.coupon import Coupon
from luma.models.course import Course, Lesson
from luma.models.insight import Analysis, Todo
from luma.models.payment import StripeEvent
from luma.models.user import SignedIn, User
from luma.services import accounts, clock, letters, outline, queue, review_reactions, reviews
from luma.services.accounts import Visit
from luma.services.assistant import budget, todos
from luma.services.assistant.budget import Wish
from luma.services.feedback import form, sheets
from luma.services.money import coupons
from luma.services.outline import RemovedChapter, RemovedLesson
from luma.values import LessonStatus, Money, Role
from tests.factories import actor, enrol, make_course, make_user
from tests.selling import make_order

STUDENT, STRANGER, OWNER, RIVAL, ADMIN = "student", "stranger", "owner", "rival", "admin"
ROLES = (STUDENT, STRANGER, OWNER, RIVAL, ADMIN)
"""Who learns the course, another student, who teaches it, another instructor, an admin."""

LOCKED_VIDEO = "LockedVid01"
DRAFT_LESSON = "Draft lesson of the owner"
DRAFT_COURSE = "Draft course of the owner"
SURNAME = "Marksdottir"
INSIGHT = "What only the owner was advised"
LETTER = "What only the student was written"


@dataclass(frozen=True)
class World:
    people: dict[str, User]
    keys: dict[str, str]
    """The cookie of a browser in which each is signed in."""
    course: str
    slug: str
    lesson: str
    draft_lesson: str
    removed_lesson: RemovedLesson
    chapter: int
    removed_chapter: RemovedChapter
    draft: str
    draft_slug: str
    draft_chapter: int
    empty: str
    deleted: str
    free_slug: str
    order: str
    coupon: str
    review: str
    letter: str
    job: int
    event: str
    ai_call: int
    analysis: str
    todo: str
    question: str
    """Of the owner's feedback form; the student has answered it without a name."""
    student_session: int

    def marks(self, role: str, *, of_a_sale: bool = False) -> set[str]:
        """What must never come to the eyes of this role; of a visitor's, all of it.

        Where a sale is shown, its seller sees who bought.
        """
        owners = {self.people[OWNER].email: {OWNER, ADMIN}, DRAFT_LESSON: {OWNER}, INSIGHT: {OWNER}}
        sellers = {OWNER} if of_a_sale else set()
        students = {
            self.people[STUDENT].email: {STUDENT, ADMIN} | sellers,
            self.order: {STUDENT, OWNER, ADMIN},
            LETTER: {STUDENT, ADMIN},
            SURNAME: {STUDENT, ADMIN} | sellers,
        }
        both = {LOCKED_VIDEO: {STUDENT, OWNER}, DRAFT_COURSE: {OWNER, ADMIN}}
        secrets: dict[str, set[str]] = {
            str(user.password_hash): set() for user in self.people.values()
        }
        seen = {**owners, **students, **both, **secrets}
        return {mark for mark, eyes in seen.items() if role not in eyes}


def build(session: Session) -> World:
    people = _people(session)
    owner, student = people[OWNER], people[STUDENT]
    course = make_course(session, "Bread", instructor=owner, published=True)
    make_course(session, "Rolls", instructor=people[RIVAL], published=True)
    chapter = course.chapters[0]
    draft_lesson = _lessons(session, course)
    removed_lesson = _removed_lesson(session, course)
    removed_chapter = _removed_chapter(session, course)
    enrol(session, student, course)
    order = make_order(session, student, course)
    reviews.write(session, actor(student), course.slug, 2, "Too much water.")
    session.flush()
    review = session.execute(text("SELECT public_id FROM reviews")).scalar_one()
    review_reactions.report(session, actor(people[STRANGER]), review, "rude", "")
    letters.write(session, student.id, "mark", subject="A letter", text=LETTER, once="mark-1")
    question = _feedback(session, student, course)
    analysis, todo = _insight(session, course, review)
    draft = make_course(session, DRAFT_COURSE, instructor=owner, price=Money(0, "usd"))
    deleted = make_course(session, DRAFT_COURSE, instructor=owner)
    deleted.delete(clock.now())
    session.flush()
    keys = _signed_in(session, people)
    session.flush()
    own = select(SignedIn.id).where(SignedIn.user_id == student.id)
    return World(
        people=people,
        keys=keys,
        course=course.public_id,
        slug=course.slug,
        lesson=chapter.lessons[0].public_id,
        draft_lesson=draft_lesson.public_id,
        removed_lesson=removed_lesson,
        chapter=chapter.id,
        removed_chapter=removed_chapter,
        draft=draft.public_id,
        draft_slug=draft.slug,
        draft_chapter=draft.chapters[0].id,
        empty=make_course(session, DRAFT_COURSE, instructor=owner, lessons=()).public_id,
        deleted=deleted.public_id,
        free_slug=_free(session, owner),
        order=order.public_id,
        coupon=_coupon(session, owner),
        review=review,
        letter="mark-1",
        job=_failed_job(session),
        event=_stuck_event(session),
        analysis=analysis,
        todo=todo,
        question=question,
        student_session=session.scalars(own).one(),
        ai_call=budget.take(session, owner.id, Wish(CallPurpose.SUMMARY, 1, course.id)),
    )


def _people(session: Session) -> dict[str, User]:
    given = {OWNER: (Role.INSTRUCTOR,), RIVAL: (Role.INSTRUCTOR,), ADMIN: (Role.ADMIN,)}
    names = {role: f"{role.capitalize()} Berg" for role in ROLES}
    names[STUDENT] = f"Student {SURNAME}"
    return {
        role: make_user(
            session, names[role], email=f"{role}-mark@example.org", roles=given.get(role, ())
        )
        for role in ROLES
    }


def _signed_in(session: Session, people: dict[str, User]) -> dict[str, str]:
    """Tokens; a service is given the key of one, a browser the token itself."""
    return {
        role: accounts.open_session(session, user.id, Visit("192.0.2.1", "Firefox"))
        for role, user in people.items()
    }


def _lessons(session: Session, course: Course) -> Lesson:
    for lesson in course.chapters[0].lessons:
        lesson.video_id = LOCKED_VIDEO
    draft = Lesson(
        title=DRAFT_LESSON,
        position=2,
        status=LessonStatus.DRAFT,
        video_id=LOCKED_VIDEO,
        updated_at=clock.now(),
    )
    course.chapters[0].lessons.append(draft)
    session.flush()
    return draft


def _removed_lesson(session: Session, course: Course) -> RemovedLesson:
    by = actor(course.instructor)
    chapter = course.chapters[0].id
    made = outline.add_lesson(session, by, course.public_id, DRAFT_LESSON, chapter, None)
    return outline.remove_lesson(session, by, course.public_id, made)


def _removed_chapter(session: Session, course: Course) -> RemovedChapter:
    by = actor(course.instructor)
    made = outline.add_chapter(session, by, course.public_id, "Gone", None)
    return outline.remove_chapter(session, by, course.public_id, made)


def _free(session: Session, owner: User) -> str:
    free = make_course(
        session, "Free bread", instructor=owner, price=Money(0, "usd"), published=True
    )
    return free.slug


def _coupon(session: Session, owner: User) -> str:
    coupons.create(session, actor(owner), {"code": "OWNERS", "off": "20"})
    return session.scalars(select(Coupon.public_id)).one()


def _feedback(session: Session, student: User, course: Course) -> str:
    """Given without a name: not even the owner learns whose it is."""
    questions = form.form(session, actor(course.instructor), course.public_id).questions
    said = {question.id: "4" for question in questions if question.is_required}
    sheets.answer(session, actor(student), course.slug, said, anonymous=True)
    return questions[0].id


def _insight(session: Session, course: Course, review: str) -> tuple[str, str]:
    """An analysis with a suggestion, and the to-do made of it."""
    analysis = Analysis(
        course_id=course.id,
        themes=[],
        suggestions=[{"text": INSIGHT, "lesson": None, "answers": [review]}],
        texts_read=1,
        texts_there=1,
        created_at=clock.now(),
    )
    session.add(analysis)
    session.flush()
    by = actor(course.instructor)
    todos.make(session, by, course.public_id, analysis.public_id, 0)
    return analysis.public_id, session.scalars(select(Todo.public_id)).one()


def _failed_job(session: Session) -> int:
    queue.defer(session, "catalogue.sync", course_id=0)
    job = session.execute(text("SELECT max(id) FROM procrastinate_jobs")).scalar_one()
    failed = text("UPDATE procrastinate_jobs SET status = 'failed' WHERE id = :id")
    session.execute(failed, {"id": job})
    return int(job)


def _stuck_event(session: Session) -> str:
    now = clock.now()
    event = StripeEvent(
        event_id="evt_stuck",
        type="checkout.session.completed",
        livemode=False,
        created_at=now,
        raw=b"{}",
        source="push",
        next_at=now + timedelta(days=1),
        received_at=now,
    )
    event.give_up("UnknownOrder: no such order")
    session.add(event)
    session.flush()
    return event.event_id
