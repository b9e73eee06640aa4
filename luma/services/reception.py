"""What every inbox does with an event that it holds: take it up, park it, queue it again."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from luma import db
from luma.models.identity import IdentityEvent
from luma.models.payment import StripeEvent
from luma.services import clock, queue
from luma.values import EventStatus

E = TypeVar("E", StripeEvent, IdentityEvent)

log = logging.getLogger(__name__)

PATIENCE = timedelta(hours=24)
"""After this an event that cannot be applied is left to an admin."""

WAITS = (1, 5, 15, 60, 300, 900, 3600)
"""Seconds between tries; the last one repeats."""

LATE = timedelta(minutes=2)
SWEPT_AT_ONCE = 200


def apply_each(
    kind: type[E],
    row_ids: Sequence[int],
    task: str,
    apply: Callable[[int], None],
    awaited: tuple[type[Exception], ...] = (),
) -> None:
    """Apply events, each in transactions of its own; one that cannot be applied stops no other.

    It is parked, whatever the cause; only the `awaited` causes are no fault of ours.
    """
    for row_id in row_ids:
        try:
            apply(row_id)
        except Exception as error:
            if not isinstance(error, awaited):
                log.exception("an event could not be applied", extra={"row": row_id})
            with db.unit_of_work() as session:
                park(session, kind, row_id, task, f"{type(error).__name__}: {error}"[:500])


def taken_up(session: Session, kind: type[E], row_id: int) -> E | None:
    """The event, held; or None when another worker has done it."""
    row: E | None = session.scalar(
        select(kind).where(kind.id == row_id).options(undefer(kind.raw)).with_for_update()
    )
    return row if row and row.is_waiting else None


def park(session: Session, kind: type[E], row_id: int, task: str, why: str) -> None:
    """Try it again later: for a day, and then it is left, loudly, to an admin."""
    row = taken_up(session, kind, row_id)
    if row is None:
        return
    now = clock.now()
    if now - row.received_at > PATIENCE:
        row.give_up(why)
        log.error("an event is given up", extra={"event": row.event_id, "why": why})
        return
    seconds = WAITS[min(row.attempts, len(WAITS) - 1)]
    row.park(now + timedelta(seconds=seconds), why)
    queue.defer(session, task, in_seconds=seconds, row_ids=[row_id])


def queue_again(session: Session, kind: type[E], task: str, due: datetime) -> None:
    """Whatever waits although its time has come: a job that was lost costs minutes."""
    waiting = (
        select(kind.id)
        .where(kind.status.in_([EventStatus.NEW, EventStatus.PARKED]), kind.next_at < due)
        .order_by(kind.next_at)
        .limit(SWEPT_AT_ONCE)
    )
    for row_id in session.scalars(waiting):
        queue.defer(session, task, once=f"{task}:{row_id}", row_ids=[row_id])
