"""The summary of a lesson: drafted, edited, approved by its instructor, and shown to students."""

from dataclasses import dataclass
from html import escape

from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.errors import RuleBroken
from luma.models.assistant import CallPurpose
from luma.models.course import Course, Lesson
from luma.models.summary import LessonSummary, SummarySource
from luma.services import clock, texts
from luma.services.assistant import asking, budget, extracts, todos
from luma.services.assistant.asking import Call
from luma.services.assistant.budget import Wish
from luma.services.assistant.material import NOTHING, TOO_LITTLE, Material
from luma.services.authors import own_course, placed_lesson
from luma.services.gateways.ai import ensure_set_up
from luma.services.policies import Actor

LONGEST = 3000

CHANGED = "This summary was changed in another window."


@dataclass(frozen=True, slots=True)
class Panel:
    """What stands beside a lesson in the studio. Costs are in millionths of a dollar."""

    lesson: str
    text: str
    """The draft, or what is approved while there is none."""
    is_draft: bool
    is_approved: bool
    """Students see a summary, though maybe an older one than the draft."""
    is_stale: bool
    """The lesson has changed since the text was made of it."""
    source: SummarySource
    has_material: bool
    revision: int
    most_micros: int
    cost_micros: int | None
    budget: budget.Standing
    todos: tuple[str, ...]
    """What the instructor wants to change here, because students said so."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A question about a lesson, and the state of lesson and summary when it was asked."""

    call: Call
    hash: str
    revision: int


class Changed(RuleBroken):
    """Another window was quicker; nothing was written."""


def panel(session: Session, actor: Actor, course: str, lesson: str) -> Panel:
    own, placed = _opened(session, actor, course, lesson)
    summary = of_lesson(session, placed.id)
    material = Material.of(own, placed)
    return Panel(
        lesson=placed.public_id,
        text=_shown(summary),
        is_draft=summary.draft is not None,
        is_approved=bool(summary.text),
        is_stale=bool(_shown(summary)) and _made_of(summary) not in ("", placed.content_hash),
        source=summary.source,
        has_material=material.is_enough,
        revision=summary.revision,
        most_micros=material.question().most_micros,
        cost_micros=budget.cost_of(session, summary.call_id) if summary.draft else None,
        budget=budget.standing(session, actor),
        todos=todos.of_lesson(session, placed.id),
    )


def begin(session: Session, actor: Actor, course: str, lesson: str) -> Begun:
    """Reserve what it may cost. Then ask, with no session open, and `keep` the answer."""
    own, placed = _opened(session, actor, course, lesson)
    return reserve(session, actor.id, own, placed)


def reserve(session: Session, instructor_id: int, course: Course, lesson: Lesson) -> Begun:
    """The same for who has been let in already, such as a run over all lessons."""
    ensure_set_up()
    material = Material.of(course, lesson)
    material.ensure_enough()
    question = material.question()
    most = asking.most_micros(question, may_be_repaired=False)
    wish = Wish(CallPurpose.SUMMARY, most, course.id, lesson.id)
    call = Call(budget.take(session, instructor_id, wish), question)
    return Begun(call, material.hash, of_lesson(session, lesson.id).revision)


def keep(session: Session, actor: Actor, course: str, lesson: str, begun: Begun, text: str) -> None:
    """The AI's answer becomes the draft, unless somebody wrote there meanwhile."""
    _, placed = _opened(session, actor, course, lesson, lock=True)
    keep_draft(session, placed, begun, text)


def keep_draft(session: Session, lesson: Lesson, begun: Begun, text: str) -> None:
    answer = shortened(text)
    if not answer or answer.strip(" .\n") == NOTHING:
        raise RuleBroken(TOO_LITTLE)
    summary = of_lesson(session, lesson.id)
    _ensure_revision(summary, begun.revision)
    summary.propose(answer, begun.hash, SummarySource.AI, begun.call.id)
    _write(session, summary)


def extract(session: Session, actor: Actor, course: str, lesson: str) -> None:
    """The most central sentences of the lesson itself become the draft. Costs nothing."""
    own, placed = _opened(session, actor, course, lesson, lock=True)
    extract_draft(session, own, placed)


def extract_draft(session: Session, course: Course, lesson: Lesson) -> None:
    material = Material.of(course, lesson)
    material.ensure_enough()
    found = extracts.central(material.text) or extracts.central(material.transcript)
    if not found:
        raise RuleBroken(TOO_LITTLE)
    summary = of_lesson(session, lesson.id)
    summary.propose(shortened(found), material.hash, SummarySource.EXTRACT, None)
    _write(session, summary)


def edit(
    session: Session, actor: Actor, course: str, lesson: str, revision: int, said: object
) -> None:
    """What the instructor types. The same text again changes nothing. Raises Changed."""
    text = texts.body(said, "Summary", LONGEST)
    _, placed = _opened(session, actor, course, lesson, lock=True)
    summary = of_lesson(session, placed.id)
    _ensure_revision(summary, revision)
    if text != _shown(summary):
        if not _shown(summary):
            summary.propose(text, placed.content_hash, SummarySource.PERSON, None)
        summary.edit(text)
        _write(session, summary)


def approve(
    session: Session, actor: Actor, course: str, lesson: str, revision: int, said: object
) -> None:
    """Show exactly this text to students. Raises Changed when it is not what stands there."""
    text = texts.body(said, "Summary", LONGEST).strip()
    _, placed = _opened(session, actor, course, lesson, lock=True)
    summary = of_lesson(session, placed.id)
    _ensure_revision(summary, revision)
    summary.approve(text, placed.content_hash, clock.now())
    placed.summary_html = rendered(text)
    _write(session, summary)


def withdraw(session: Session, actor: Actor, course: str, lesson: str) -> None:
    """Students see no summary any more; the text stays as a draft. Twice changes nothing."""
    _, placed = _opened(session, actor, course, lesson, lock=True)
    summary = of_lesson(session, placed.id)
    if summary.text:
        summary.withdraw()
        placed.summary_html = ""
        _write(session, summary)


def discard(session: Session, actor: Actor, course: str, lesson: str, revision: int) -> None:
    _, placed = _opened(session, actor, course, lesson, lock=True)
    summary = of_lesson(session, placed.id)
    _ensure_revision(summary, revision)
    if summary.draft is not None:
        summary.discard()
        _write(session, summary)


def of_lesson(session: Session, lesson_id: int) -> LessonSummary:
    """The lesson's summary, or an empty one that is written when something is said."""
    found = session.scalar(select(LessonSummary).where(LessonSummary.lesson_id == lesson_id))
    return found or LessonSummary(
        lesson_id=lesson_id,
        draft=None,
        draft_of="",
        source=SummarySource.PERSON,
        text="",
        text_of="",
        revision=0,
    )


def rendered(text: str) -> str:
    """As students see it. Every sign of it is text: markup in it is shown, not obeyed."""
    paragraphs = (escape(part.strip()) for part in text.split("\n\n") if part.strip())
    inside = "".join(f"<p>{part}</p>" for part in paragraphs)
    return f'<section class="summary" aria-label="Summary"><h2>Summary</h2>{inside}</section>'


def shortened(text: str) -> str:
    """Cut at a sentence when it is longer than a summary may be."""
    plain = "\n\n".join(
        " ".join(part.split()) for part in text.strip().split("\n\n") if part.strip()
    )
    if len(plain) <= LONGEST:
        return plain
    head, dot, _ = plain[:LONGEST].rpartition(". ")
    return head + dot.strip() if dot else plain[:LONGEST]


def _opened(
    session: Session, actor: Actor, course: str, lesson: str, *, lock: bool = False
) -> tuple[Course, Lesson]:
    own = own_course(session, actor, course, lock=lock)
    return own, placed_lesson(session, own, lesson)


def _shown(summary: LessonSummary) -> str:
    return summary.draft if summary.draft is not None else summary.text


def _made_of(summary: LessonSummary) -> str:
    return summary.draft_of if summary.draft is not None else summary.text_of


def _ensure_revision(summary: LessonSummary, revision: int) -> None:
    if summary.revision != revision:
        raise Changed(CHANGED)


def _write(session: Session, summary: LessonSummary) -> None:
    """The caller holds the course's lock, so two windows do not both begin a lesson's first."""
    summary.revision += 1
    summary.updated_at = clock.now()
    session.add(summary)
    session.flush()
