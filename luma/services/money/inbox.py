"""The gateway's events: received once, applied in any order."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from procrastinate.types import JSONValue
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, undefer

from luma import db
from luma.errors import ServiceDown
from luma.models.payment import StripeEvent
from luma.services import clock, gateways, queue, reception
from luma.services.gateways import charge_events, events, sandbox
from luma.services.gateways.protocol import GatewayEvent, Thing
from luma.services.money import facts
from luma.services.money.reversals import NotOurs, UnknownPayment
from luma.values import EventStatus

log = logging.getLogger(__name__)

TASK = "inbox.apply"
ANOTHER_SHOP = "It is about a payment that names no order: another shop on the account."
A_JOB = 25
"""Events in one job: few enough that a burst is shared by all of the worker's threads."""


def receive(session: Session, arrived: Sequence[GatewayEvent]) -> set[str]:
    """Keep events as they came and queue what applies them. A second delivery changes nothing.

    Nothing follows from kinds that LUMA does not act on: they are kept and done with. Returns the
    ids of those that were new.
    """
    new = insert(StripeEvent).values([_row(event) for event in arrived])
    kept = session.execute(
        new.on_conflict_do_nothing().returning(
            StripeEvent.id, StripeEvent.status, StripeEvent.event_id
        )
    ).all()
    waiting: list[JSONValue] = [row_id for row_id, status, _ in kept if status is EventStatus.NEW]
    for start in range(0, len(waiting), A_JOB):
        queue.defer(session, TASK, row_ids=waiting[start : start + A_JOB])
    return {event_id for _, _, event_id in kept}


def apply(row_ids: list[int]) -> None:
    """Apply events, each in a transaction of its own.

    What cannot be applied, because its order is unknown or because of a fault of ours, is parked
    and never lost: it is tried for a day and then left, loudly, to an admin.
    """
    reception.apply_each(StripeEvent, row_ids, TASK, _apply, (UnknownPayment,))


def sweep(session: Session) -> None:
    """Queue again what waits although its time has come: a job that was lost costs minutes."""
    reception.queue_again(session, StripeEvent, TASK, clock.now() - reception.LATE)


def resume(session: Session) -> None:
    """The same for a worker that starts: whatever waits may have been in a killed one's hands."""
    reception.queue_again(session, StripeEvent, TASK, clock.now())


def _apply(row_id: int) -> None:
    """What is refunded or disputed of another shop's on the same account does not wait for ever."""
    try:
        _apply_ours(row_id)
    except UnknownPayment:
        if not _is_of_another_shop(row_id):
            raise
        with db.unit_of_work() as session:
            if row := reception.taken_up(session, StripeEvent, row_id):
                row.finish(clock.now(), ANOTHER_SHOP)


def _apply_ours(row_id: int) -> None:
    with db.unit_of_work() as session:
        row = reception.taken_up(session, StripeEvent, row_id)
        if row is None:
            return
        event = _as_received(row)
        if not events.must_be_fetched(event):
            _take(session, row, event)
            return
    fetched = gateways.current().found(events.kind_of(event.type), events.id_of(event))
    with db.unit_of_work() as session:
        if row := reception.taken_up(session, StripeEvent, row_id):
            _take(session, row, event, fetched)


def _is_of_another_shop(row_id: int) -> bool:
    """Asked of the gateway once it has waited: at first a payment may just be on its way."""
    with db.unit_of_work() as session:
        row = session.get_one(StripeEvent, row_id, options=[undefer(StripeEvent.raw)])
        charge = events.thing_in(row.raw).get("charge")
        if not row.attempts or _gateway_of(row) == "sandbox" or not isinstance(charge, str):
            return False
    try:
        found = gateways.current().found(Thing.CHARGE, charge)
    except ServiceDown:
        return False
    return charge_events.charge(found).order is None


def _take(
    session: Session, row: StripeEvent, event: GatewayEvent, found: Mapping[str, Any] | None = None
) -> None:
    """Facts, what follows from them, and `done`, in one transaction: all of it or nothing."""
    fact = events.fact(event, found or events.thing_in(event.raw))
    try:
        facts.record(session, fact, _gateway_of(row))
    except NotOurs as reason:
        row.finish(clock.now(), str(reason))
    else:
        row.finish(clock.now())
        if events.kind_of(row.type) is Thing.CHECKOUT:
            _try_what_waits_for(session, row)


def _try_what_waits_for(session: Session, row: StripeEvent) -> None:
    """What was faster than its payment is tried at once, and not when its turn comes.

    Its rows are not touched: whoever has one in hand may be waiting for the order that is held.
    """
    waits = (StripeEvent.status == EventStatus.PARKED) & StripeEvent.subjects.overlap(row.subjects)
    for row_id in session.scalars(select(StripeEvent.id).where(waits).order_by(StripeEvent.id)):
        queue.defer(session, TASK, once=f"{TASK}:{row_id}", row_ids=[row_id])


def _gateway_of(row: StripeEvent) -> str:
    """Who proved it. What was pulled says so by its id: Stripe's are never the sandbox's."""
    is_sandbox = row.source == "pull" and row.event_id.startswith(sandbox.PREFIX)
    return "sandbox" if is_sandbox else row.source


def _row(event: GatewayEvent) -> dict[str, object]:
    now = clock.now()
    is_acted_on = events.is_acted_on(event)
    return {
        "event_id": event.event_id,
        "type": event.type,
        "api_version": event.api_version,
        "livemode": event.livemode,
        "account": event.account,
        "created_at": event.created_at,
        "raw": event.raw,
        "source": event.source,
        "subjects": events.subjects(event.raw),
        "status": EventStatus.NEW if is_acted_on else EventStatus.DONE,
        "next_at": now,
        "received_at": now,
        "done_at": None if is_acted_on else now,
    }


def _as_received(row: StripeEvent) -> GatewayEvent:
    return GatewayEvent(
        event_id=row.event_id,
        type=row.type,
        api_version=row.api_version,
        livemode=row.livemode,
        account=row.account,
        created_at=row.created_at,
        raw=row.raw,
        source=row.source,
    )
