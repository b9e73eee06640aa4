"""The queue as an admin sees it: what failed and why, and running it again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from luma.errors import NotFound, RuleBroken
from luma.models.identity import IdentityEvent
from luma.models.payment import StripeEvent
from luma.services import audit, clock, policies, queue, texts
from luma.services.policies import Actor
from luma.values import EventStatus

E = TypeVar("E", StripeEvent, IdentityEvent)

MOST_LISTED = 100
NOT_FAILED = "This is not among the failed ones any more."

FAILED = """
    SELECT job.id, task_name, attempts, cause, failed_at,
        CASE WHEN job.status = 'todo' THEN scheduled_at END AS next_at
    FROM procrastinate_jobs AS job LEFT JOIN job_failures ON job_id = job.id
    WHERE job.status = CAST(:status AS procrastinate_job_status)
        AND (job.status = 'failed' OR attempts > 0)
    ORDER BY job.id DESC LIMIT :most
"""


@dataclass(frozen=True, slots=True)
class Job:
    """One that failed. `next_at` is when it is tried again by itself, None when it gave up."""

    id: int
    task: str
    attempts: int
    cause: str | None
    failed_at: datetime | None
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class StuckEvent:
    event_id: str
    type: str
    status: EventStatus
    attempts: int
    last_error: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Failures:
    given_up: tuple[Job, ...]
    tried_again: tuple[Job, ...]
    events: tuple[StuckEvent, ...]


def failures(session: Session, actor: Actor) -> Failures:
    """What failed, the newest first."""
    policies.ensure_admin(actor)
    return Failures(
        _jobs(session, "failed"),
        _jobs(session, "todo"),
        stuck_events(session),
    )


def run_again(session: Session, actor: Actor, job: object) -> None:
    """Put a job that gave up back into the queue. Raises NotFound, RuleBroken."""
    policies.ensure_admin(actor)
    number = _number(job)
    failed = text("SELECT task_name FROM procrastinate_jobs WHERE id = :id AND status = 'failed'")
    task = session.scalar(failed.bindparams(id=number))
    if task is None:
        raise NotFound(NOT_FAILED)
    again = text("SELECT procrastinate_retry_job_v2(:id, :now, NULL, NULL, NULL)")
    try:
        with session.begin_nested():
            session.execute(again, {"id": number, "now": clock.now()})
    except IntegrityError as error:
        raise RuleBroken("The same work waits in the queue already.") from error
    audit.note(session, actor, "job.run_again", f"job {number}", {"task": task})


def put_away(session: Session, actor: Actor, job: object) -> None:
    """Forget a job that gave up and is not to be run any more. Raises NotFound.

    What it was to do stays undone. An event waits in its inbox whatever becomes of its job.
    """
    policies.ensure_admin(actor)
    number = _number(job)
    gone = text(
        "DELETE FROM procrastinate_jobs WHERE id = :id AND status = 'failed' RETURNING task_name"
    )
    task = session.scalar(gone.bindparams(id=number))
    if task is None:
        raise NotFound(NOT_FAILED)
    audit.note(session, actor, "job.put_away", f"job {number}", {"task": task})


def apply_again(session: Session, actor: Actor, event: object) -> None:
    """Try once more to apply an event that came from outside. Raises NotFound for one done."""
    policies.ensure_admin(actor)
    name, task = _word(event), "inbox.apply"
    stuck: StripeEvent | IdentityEvent | None = _held(session, StripeEvent, name)
    if stuck is None:
        task, stuck = "identity_inbox.apply", _held(session, IdentityEvent, name)
    if stuck is None:
        raise NotFound(NOT_FAILED)
    before = stuck.status
    stuck.wake(clock.now())
    queue.defer(session, task, once=f"{task}:{stuck.id}", row_ids=[stuck.id])
    thing = f"event {stuck.event_id}"[:120]
    audit.note(session, actor, "event.apply_again", thing, {"status": before})


STUCK = (EventStatus.PARKED, EventStatus.DEAD)


def stuck_events(session: Session) -> tuple[StuckEvent, ...]:
    """Of every inbox, the newest first."""
    listed: list[StripeEvent | IdentityEvent] = [
        *_stuck(session, StripeEvent),
        *_stuck(session, IdentityEvent),
    ]
    newest = sorted(listed, key=lambda one: one.received_at, reverse=True)[:MOST_LISTED]
    return tuple(
        StuckEvent(e.event_id, e.type, e.status, e.attempts, e.last_error or "", e.received_at)
        for e in newest
    )


def _stuck(session: Session, kind: type[E]) -> Sequence[E]:
    waiting = select(kind).where(kind.status.in_(STUCK)).order_by(kind.received_at.desc())
    return session.scalars(waiting.limit(MOST_LISTED)).all()


def _held(session: Session, kind: type[E], event_id: str) -> E | None:
    stuck = select(kind).where(kind.event_id == event_id, kind.status.in_(STUCK))
    found: E | None = session.scalar(stuck.with_for_update())
    return found


def _jobs(session: Session, status: str) -> tuple[Job, ...]:
    rows = session.execute(text(FAILED), {"status": status, "most": MOST_LISTED})
    return tuple(Job(*row) for row in rows)


def _number(job: object) -> int:
    try:
        return texts.whole_number(job, "Job", 1, 2**63 - 1)
    except RuleBroken as refusal:
        raise NotFound(NOT_FAILED) from refusal


def _word(event: object) -> str:
    try:
        return texts.line(event, "Event", 255)
    except RuleBroken as refusal:
        raise NotFound(NOT_FAILED) from refusal
