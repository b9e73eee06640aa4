"""All lessons of a course summarised by the worker, one after the other: started, watched, ended.

Each lesson is a unit of its own. What a worker that died had in hand is taken up again.
"""

import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from luma.bridge import perform
from luma.errors import LumaError, RuleBroken, ServiceDown
from luma.models.course import Chapter, Course, Lesson
from luma.models.summary import (
    RunStatus,
    SummaryRun,
    SummarySource,
    SummaryTask,
    TaskStatus,
)
from luma.models.user import User, UserRole
from luma.services import clock, queue
from luma.services.assistant import asking, budget, summaries
from luma.services.assistant.summaries import Begun
from luma.services.authors import own_course
from luma.services.gateways.ai import ensure_set_up
from luma.services.policies import Actor
from luma.values import Role

SHIFT = 20.0
"""Seconds after which a job makes room for others and queues the next."""

ONE_AT_A_TIME = "assistant.summarise"
"""The lock of these jobs: AI takes one place of the worker's, never all."""

MOST_FAILURES = 5

GONE = "The lesson is not there any more."
NOBODY = "The course is not yours any more."
FAILING = "The AI service failed for several lessons. Begin again later; what is done stays."


@dataclass(frozen=True, slots=True)
class Step:
    """One lesson to do. `begun` is None when it needs no AI."""

    task_id: int
    begun: Begun


def start(session: Session, actor: Actor, course: str, lessons: Sequence[str], *, ai: bool) -> None:
    """Queue the summaries of these lessons. A second press changes nothing while one runs."""
    own = own_course(session, actor, course, lock=True)
    if ai:
        ensure_set_up()
    if running(session, own.id) is not None:
        return
    wanted = _ids(session, own, lessons)
    if not wanted:
        raise RuleBroken("Every lesson that says something has a summary or a draft already.")
    run = SummaryRun(
        course_id=own.id,
        instructor_id=actor.id,
        source=SummarySource.AI if ai else SummarySource.EXTRACT,
        created_at=clock.now(),
    )
    session.add(run)
    session.flush()
    session.add_all(SummaryTask(run_id=run.id, lesson_id=lesson) for lesson in wanted)
    session.flush()
    _queue(session, run.id)


def cancel(session: Session, actor: Actor, course: str) -> None:
    """What is done stays; the lesson that is being written is finished. Twice is harmless."""
    own = own_course(session, actor, course, lock=True)
    run = running(session, own.id)
    if run is not None:
        run.cancel(clock.now())


def running(session: Session, course_id: int) -> SummaryRun | None:
    return session.scalar(
        select(SummaryRun).where(
            SummaryRun.course_id == course_id, SummaryRun.status == RunStatus.RUNNING
        )
    )


async def work(run_id: int) -> None:
    """Do lessons for a while, then let others work. Waits for the AI with no session open."""
    ends = time.monotonic() + SHIFT
    while time.monotonic() < ends:
        step = await perform(_next, run_id)
        if step is None:
            return
        await _do(step)
    await perform(_queue, run_id)


async def _do(step: Step) -> None:
    try:
        async with aclosing(asking.words(step.begun.call)) as pieces:
            text = "".join([piece async for piece in pieces])
    except LumaError as refusal:
        await perform(_failed, step.task_id, refusal)
        return
    await perform(_done, step, text)


def _next(session: Session, run_id: int) -> Step | None:
    """Begin lessons until one needs the AI; those that do not are done on the way."""
    while True:
        run = _locked(session, run_id)
        task = _open_task(session, run)
        if task is None:
            run.finish(clock.now())
            return None
        try:
            with session.begin_nested():
                step = _begin(session, run, task)
        except RuleBroken as refusal:
            if str(refusal) == budget.USED_UP:
                run.stop(str(refusal), clock.now())
                return None
            task.finish(str(refusal))
            continue
        if step is not None:
            return step


def _locked(session: Session, run_id: int) -> SummaryRun:
    """The course first, as whoever cancels locks it, so that nobody waits in a circle."""
    run = session.get_one(SummaryRun, run_id)
    session.execute(
        select(Course.id).where(Course.id == run.course_id).with_for_update(key_share=True)
    )
    session.refresh(run)
    return run


def _begin(session: Session, run: SummaryRun, task: SummaryTask) -> Step | None:
    course, lesson = _lesson(session, run, task)
    if run.source is SummarySource.EXTRACT:
        summaries.extract_draft(session, course, lesson)
        task.finish()
        return None
    begun = summaries.reserve(session, run.instructor_id, course, lesson)
    task.begin(begun.call.id)
    return Step(task.id, begun)


def _lesson(session: Session, run: SummaryRun, task: SummaryTask) -> tuple[Course, Lesson]:
    """Rights are read again for each lesson: the course may have changed hands, or be gone."""
    teaches = (
        select(Course)
        .join(User, User.id == Course.instructor_id)
        .join(UserRole, and_(UserRole.user_id == User.id, UserRole.role == Role.INSTRUCTOR))
        .where(Course.id == run.course_id, Course.deleted_at.is_(None))
        .where(User.id == run.instructor_id, User.disabled_at.is_(None))
    )
    course = session.scalar(teaches)
    if course is None:
        raise RuleBroken(NOBODY)
    lesson = session.get_one(Lesson, task.lesson_id)
    chapter = session.get_one(Chapter, lesson.chapter_id)
    if lesson.deleted_at is not None or chapter.deleted_at is not None:
        raise RuleBroken(GONE)
    return course, lesson


def _open_task(session: Session, run: SummaryRun) -> SummaryTask | None:
    if run.status is not RunStatus.RUNNING:
        return None
    return session.scalar(
        select(SummaryTask)
        .where(
            SummaryTask.run_id == run.id,
            SummaryTask.status.in_([TaskStatus.WAITING, TaskStatus.WORKING]),
        )
        .order_by(SummaryTask.id)
        .limit(1)
    )


def _done(session: Session, step: Step, text: str) -> None:
    """What was paid is kept as a draft, also when the run was cancelled meanwhile."""
    task = session.get_one(SummaryTask, step.task_id)
    run = _locked(session, task.run_id)
    try:
        with session.begin_nested():
            _, lesson = _lesson(session, run, task)
            summaries.keep_draft(session, lesson, step.begun, text)
    except RuleBroken as refusal:
        task.finish(str(refusal))
    else:
        task.finish()


def _failed(session: Session, task_id: int, refusal: LumaError) -> None:
    """A service that is down fails every lesson: after some the run stops and says so."""
    task = session.get_one(SummaryTask, task_id)
    task.finish(str(refusal))
    session.flush()
    run = _locked(session, task.run_id)
    failures = session.scalar(
        select(func.count()).where(
            SummaryTask.run_id == run.id, SummaryTask.status == TaskStatus.FAILED
        )
    )
    if isinstance(refusal, ServiceDown) and (failures or 0) >= MOST_FAILURES:
        run.stop(FAILING, clock.now())


def _ids(session: Session, course: Course, lessons: Sequence[str]) -> list[int]:
    """In the outline's order, and only lessons of this very course."""
    rows = session.scalars(
        select(Lesson.id)
        .join(Chapter, Chapter.id == Lesson.chapter_id)
        .where(Chapter.course_id == course.id, Lesson.public_id.in_(lessons))
        .where(Lesson.deleted_at.is_(None), Chapter.deleted_at.is_(None))
        .order_by(Chapter.position, Lesson.position)
    )
    return list(rows)


def _queue(session: Session, run_id: int) -> None:
    queue.defer(session, "assistant.summarise", lock=ONE_AT_A_TIME, run_id=run_id)
