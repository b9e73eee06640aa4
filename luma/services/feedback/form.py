"""The questions of a course's feedback form. Every course has some without anybody's doing."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from luma.errors import NotFound, RuleBroken
from luma.models.course import Course
from luma.models.feedback import FeedbackQuestion
from luma.services import texts
from luma.services.authors import own_course
from luma.services.policies import Actor
from luma.values import QuestionKind

MOST = 12
LONGEST_PROMPT = 200
LONGEST_OPTION = 80
MOST_OPTIONS = 8

GONE = "This question is not there any more. Load the page again."

USUAL = (
    (QuestionKind.SCALE, "How clear was it?", True),
    (QuestionKind.SCALE, "How useful was it?", True),
    (QuestionKind.TEXT, "What helped you?", False),
    (QuestionKind.TEXT, "What was unclear?", False),
    (QuestionKind.TEXT, "What is the one thing you would change?", False),
)


@dataclass(frozen=True, slots=True)
class Question:
    id: str
    kind: QuestionKind
    prompt: str
    options: tuple[str, ...]
    is_required: bool


@dataclass(frozen=True, slots=True)
class Form:
    course: str
    title: str
    questions: tuple[Question, ...]

    @property
    def is_full(self) -> bool:
        return len(self.questions) >= MOST


@dataclass(frozen=True, slots=True)
class Wording:
    """What a question says and how it is answered, checked."""

    kind: QuestionKind
    prompt: str
    options: tuple[str, ...]

    @classmethod
    def read(cls, kind: object, prompt: object, options: object) -> "Wording":
        """`options` is text with one choice a line. Raises RuleBroken."""
        if kind not in list(QuestionKind):
            raise RuleBroken("Choose how the question is answered.")
        known = QuestionKind(str(kind))
        return cls(
            known,
            texts.line(prompt, "Question", LONGEST_PROMPT),
            _options(options) if known is QuestionKind.CHOICE else (),
        )


def form(session: Session, actor: Actor, course: str) -> Form:
    """For whoever teaches the course."""
    own = own_course(session, actor, course)
    asked = [question(one) for one in rows(session, own.id)]
    return Form(own.public_id, own.title, tuple(asked))


def rows(session: Session, course_id: int, *, share: bool = False) -> Sequence[FeedbackQuestion]:
    """The questions that are asked now, in order; at first the usual ones.

    With `share` they stay as they are until the caller's transaction ends.
    """
    current = (
        select(FeedbackQuestion)
        .where(FeedbackQuestion.course_id == course_id, FeedbackQuestion.position.is_not(None))
        .order_by(FeedbackQuestion.position)
        .execution_options(populate_existing=True)
    )
    if share:
        current = current.with_for_update(read=True)
    found = session.scalars(current).all()
    if found:
        return found
    session.execute(select(Course.id).where(Course.id == course_id).with_for_update(key_share=True))
    if not session.scalar(select(exists().where(FeedbackQuestion.course_id == course_id))):
        _ask_the_usual(session, course_id)
    return session.scalars(current).all()


def question(one: FeedbackQuestion) -> Question:
    return Question(one.public_id, one.kind, one.prompt, tuple(one.options), one.is_required)


def add(session: Session, actor: Actor, course: str, wording: Wording, *, required: bool) -> str:
    """At the end of the form. Returns the new question's id."""
    own = own_course(session, actor, course, lock=True)
    asked = rows(session, own.id)
    if len(asked) >= MOST:
        raise RuleBroken(f"A form has at most {MOST} questions. Remove one first.")
    return _ask(session, own.id, wording, len(asked), required=required).public_id


def change(
    session: Session,
    actor: Actor,
    course: str,
    question_id: object,
    wording: Wording,
    *,
    required: bool,
) -> str:
    """Ask something else in its place. What was answered keeps the words it was asked with.

    Returns the id of the question that is asked now: another one when its words have changed.
    """
    own = own_course(session, actor, course, lock=True)
    old = _locked(session, own, question_id)
    if (old.kind, old.prompt, tuple(old.options)) == _told(wording):
        old.is_required = required
        return old.public_id
    place = old.position
    old.retire()
    session.flush()
    return _ask(session, own.id, wording, place, required=required).public_id


def move(session: Session, actor: Actor, course: str, question_id: object, place: object) -> None:
    """To the place that counts from 0. Raises RuleBroken when there is no such place."""
    own = own_course(session, actor, course, lock=True)
    moved = _locked(session, own, question_id)
    others = [one for one in rows(session, own.id) if one.id != moved.id]
    others.insert(texts.whole_number(place, "Place", 0, len(others)), moved)
    _number(others)


def remove(session: Session, actor: Actor, course: str, question_id: object) -> None:
    """Ask it no more. What was answered stays to be read."""
    own = own_course(session, actor, course, lock=True)
    old = _locked(session, own, question_id)
    others = [one for one in rows(session, own.id) if one.id != old.id]
    if not others:
        raise RuleBroken("A form needs a question. Change this one instead.")
    old.retire()
    _number(others)


def _locked(session: Session, course: Course, question_id: object) -> FeedbackQuestion:
    """Whoever answers at this moment is waited for."""
    found = session.scalar(
        select(FeedbackQuestion)
        .where(
            FeedbackQuestion.course_id == course.id,
            FeedbackQuestion.public_id == texts.key(question_id),
            FeedbackQuestion.position.is_not(None),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound(GONE)
    return found


def _number(questions: Sequence[FeedbackQuestion]) -> None:
    for place, one in enumerate(questions):
        one.position = place


def _ask_the_usual(session: Session, course_id: int) -> None:
    for place, (kind, prompt, required) in enumerate(USUAL):
        _ask(session, course_id, Wording(kind, prompt, ()), place, required=required)


def _ask(
    session: Session, course_id: int, wording: Wording, place: int | None, *, required: bool
) -> FeedbackQuestion:
    made = FeedbackQuestion(
        course_id=course_id,
        position=place,
        kind=wording.kind,
        prompt=wording.prompt,
        options=list(wording.options),
        is_required=required,
    )
    session.add(made)
    session.flush()
    return made


def _told(wording: Wording) -> tuple[QuestionKind, str, tuple[str, ...]]:
    return wording.kind, wording.prompt, wording.options


def _options(said: object) -> tuple[str, ...]:
    lines = texts.body(said, "Choices", 2_000).split("\n")
    options = [texts.line(one, "A choice", LONGEST_OPTION) for one in lines if one.strip()]
    if not 2 <= len(options) <= MOST_OPTIONS:
        raise RuleBroken(f"Write between 2 and {MOST_OPTIONS} choices, each on a line of its own.")
    if len(set(options)) != len(options):
        raise RuleBroken("Two of the choices are the same.")
    return tuple(options)
