"""The summaries of a course at a glance: what is approved, waits or is missing, and what runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import Row, and_, func, select
from sqlalchemy.orm import Session

from luma.models.assistant import AiCall
from luma.models.course import Chapter, Course, Lesson
from luma.models.summary import (
    LessonSummary,
    RunStatus,
    SummaryRun,
    SummarySource,
    SummaryTask,
    TaskStatus,
)
from luma.services import clock
from luma.services.assistant import budget, material
from luma.services.authors import own_course
from luma.services.policies import Actor

LONGEST_ANSWER = timedelta(seconds=70)


class SummaryState(StrEnum):
    NONE = "none"
    DRAFT = "draft"
    APPROVED = "approved"
    STALE = "stale"
    """Approved, and the lesson has changed since."""
    NOTHING = "nothing"
    """The lesson says too little to be summarised."""


@dataclass(frozen=True, slots=True)
class Line:
    id: str
    title: str
    chapter: str
    state: SummaryState
    draft: str
    source: SummarySource | None
    revision: int
    size: int
    """Bytes of text and transcript."""

    @property
    def is_missing(self) -> bool:
        return self.state in {SummaryState.NONE, SummaryState.STALE}


@dataclass(frozen=True, slots=True)
class Run:
    """How far a run is. Its cost grows while it goes on."""

    status: str
    problem: str
    done: int
    failed: int
    total: int
    micros: int
    is_ai: bool
    failures: tuple[tuple[str, str], ...]
    """Lessons that were not summarised, each with the reason."""

    is_settling: bool
    """Cancelled a moment ago: the lesson that is being written is finished first."""

    @property
    def is_running(self) -> bool:
        return self.status == "running"


@dataclass(frozen=True, slots=True)
class Overview:
    course: str
    title: str
    lines: tuple[Line, ...]
    run: Run | None
    budget: budget.Standing

    @property
    def missing(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.is_missing)

    @property
    def most_micros(self) -> int:
        """The most that summarising what is missing can cost."""
        return sum(material.most_micros(line.size) for line in self.missing)

    def count(self, state: SummaryState) -> int:
        return sum(line.state == state for line in self.lines)


def overview(session: Session, actor: Actor, course: str) -> Overview:
    own = own_course(session, actor, course)
    return Overview(
        course=own.public_id,
        title=own.title,
        lines=tuple(_line(row) for row in _rows(session, own)),
        run=_latest(session, own),
        budget=budget.standing(session, actor),
    )


def latest_run(session: Session, actor: Actor, course: str) -> Run | None:
    """For a page that waits for it."""
    return _latest(session, own_course(session, actor, course))


def _rows(session: Session, course: Course) -> Sequence[Row[tuple[object, ...]]]:
    size = func.octet_length(Lesson.text) + func.octet_length(Lesson.transcript)
    rows: Sequence[Row[tuple[object, ...]]] = session.execute(
        select(Lesson.public_id, Lesson.title, Chapter.title.label("chapter"), size.label("size"))
        .add_columns(Lesson.content_hash, LessonSummary.draft, LessonSummary.source)
        .add_columns((LessonSummary.text != "").label("has_text"), LessonSummary.text_of)
        .add_columns(func.coalesce(LessonSummary.revision, 0).label("revision"))
        .join(Chapter, Chapter.id == Lesson.chapter_id)
        .outerjoin(LessonSummary, LessonSummary.lesson_id == Lesson.id)
        .where(Chapter.course_id == course.id)
        .where(and_(Lesson.deleted_at.is_(None), Chapter.deleted_at.is_(None)))
        .order_by(Chapter.position, Lesson.position)
    ).all()
    return rows


def _line(row: Row[tuple[object, ...]]) -> Line:
    return Line(
        id=row.public_id,
        title=row.title,
        chapter=row.chapter,
        state=_state(row),
        draft=row.draft or "",
        source=row.source,
        revision=row.revision,
        size=row.size,
    )


def _state(row: Row[tuple[object, ...]]) -> SummaryState:
    if row.draft is not None:
        return SummaryState.DRAFT
    if row.has_text:
        return SummaryState.APPROVED if row.text_of == row.content_hash else SummaryState.STALE
    enough = row.size >= material.LEAST_CHARACTERS
    return SummaryState.NONE if enough else SummaryState.NOTHING


def _latest(session: Session, course: Course) -> Run | None:
    run = session.scalar(
        select(SummaryRun)
        .where(SummaryRun.course_id == course.id)
        .order_by(SummaryRun.id.desc())
        .limit(1)
    )
    if run is None:
        return None
    tasks = session.execute(
        select(SummaryTask.status, SummaryTask.problem, Lesson.title, AiCall.cost_micros)
        .join(Lesson, Lesson.id == SummaryTask.lesson_id)
        .outerjoin(AiCall, AiCall.id == SummaryTask.call_id)
        .where(SummaryTask.run_id == run.id)
        .order_by(SummaryTask.id)
    ).all()
    return Run(
        status=run.status.value,
        problem=run.problem,
        done=sum(task.status is TaskStatus.DONE for task in tasks),
        failed=sum(task.status is TaskStatus.FAILED for task in tasks),
        total=len(tasks),
        micros=sum(task.cost_micros or 0 for task in tasks),
        is_ai=run.source is SummarySource.AI,
        is_settling=_is_settling(run, [task.status for task in tasks]),
        failures=tuple((task.title, task.problem) for task in tasks if task.problem),
    )


def _is_settling(run: SummaryRun, tasks: Sequence[TaskStatus]) -> bool:
    if run.status is not RunStatus.CANCELLED or run.finished_at is None:
        return False
    return TaskStatus.WORKING in tasks and clock.now() - run.finished_at < LONGEST_ANSWER
