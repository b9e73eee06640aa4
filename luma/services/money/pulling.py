"""Read the gateway's own list of events every quarter of an hour: what was not delivered, too."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma import db
from luma.errors import LumaError
from luma.models.order import Order
from luma.models.reconciliation import GatewayPull
from luma.services import accounts, clock, gateways, policies
from luma.services.gateways import events
from luma.services.gateways.protocol import Gateway, GatewayEvent, Thing
from luma.services.money import inbox, reconciliation
from luma.services.policies import Actor
from luma.settings import settings

T = TypeVar("T")

log = logging.getLogger(__name__)

OVERLAP = timedelta(hours=1)
"""Read twice, so that what was listed late, or by a clock that is off, is seen."""

KEPT_THERE = timedelta(days=30)
LATE = timedelta(minutes=5)
"""What was not delivered by then was missed."""

LONGEST_OPEN = timedelta(days=15)
"""Between a checkout's beginning and the last that is heard of its payment."""

TYPES_A_CALL = 20
NOT_LISTED = "v2."
"""Thin events are on no list: what they are about is read again every day."""

AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Start:
    """Where to read on. `gap_since` is set when events of that time are not kept there any more."""

    since: datetime
    gap_since: datetime | None


@dataclass
class Harvest:
    """What one pull has brought so far."""

    newest: datetime
    found: int = 0
    missed: int = 0


def pull() -> Harvest | None:
    """Bring in what the inbox does not have. Waits for the network; twice is harmless.

    When the gateway is down midway, the next pull begins where this one did. Returns None then.
    """
    gateway = gateways.current()
    with db.unit_of_work() as session:
        start = _start(session, gateway.name)
    try:
        if start.gap_since:
            _catch_up(gateway, start.gap_since)
        brought = _read(gateway, start.since)
    except LumaError as error:
        log.warning("the pull broke off", extra={"why": str(error)})
        with db.unit_of_work() as session:
            _row(session, gateway.name).break_off(str(error), clock.now())
        return None
    with db.unit_of_work() as session:
        _row(session, gateway.name).reach(brought.newest, clock.now(), brought.found)
    if brought.missed:
        log.error("the pull found what the push had missed", extra={"events": brought.missed})
    return brought


def pull_now(key: str | None) -> str:
    """The same because an admin has pressed the button. Returns what it found, in a sentence."""
    with db.unit_of_work() as session:
        accounts.as_user(session, key, _ensure_admin)
    brought = pull()
    if brought is None:
        return "The payment service does not answer. What was read so far is kept."
    if not brought.found:
        return "Nothing was missing: every event is here."
    found = "1 event was" if brought.found == 1 else f"{brought.found:,} events were"
    return f"{found} not here yet and will be applied now."


def row(session: Session) -> GatewayPull | None:
    """How far the gateway in use was read; None before the first pull."""
    return session.scalar(
        select(GatewayPull).where(
            GatewayPull.gateway == gateways.current().name,
            GatewayPull.livemode == settings().livemode,
        )
    )


def _ensure_admin(_session: Session, actor: Actor) -> None:
    policies.ensure_admin(actor)


def _start(session: Session, gateway: str) -> Start:
    """Where nothing is noted (the first time, or it was lost), from the first order on."""
    now, known = clock.now(), _row(session, gateway)
    gone = now - KEPT_THERE
    gap = known.pulled_at if known.pulled_at < gone else None
    return Start(max(known.read_until - OVERLAP, gone + timedelta(minutes=5)), gap)


def _row(session: Session, gateway: str) -> GatewayPull:
    """Made when it is missing, and held."""
    first = session.scalar(select(func.min(Order.created_at)).where(Order.gateway == gateway))
    begin = first or clock.now()
    new = insert(GatewayPull).values(
        gateway=gateway,
        livemode=settings().livemode,
        read_until=begin,
        pulled_at=begin,
        tried_at=begin,
        found=0,
    )
    session.execute(new.on_conflict_do_nothing())
    return session.scalars(
        select(GatewayPull)
        .where(GatewayPull.gateway == gateway, GatewayPull.livemode == settings().livemode)
        .with_for_update()
    ).one()


def _read(gateway: Gateway, since: datetime) -> Harvest:
    brought = Harvest(since)
    listed = sorted(one for one in events.ACTED_ON if not one.startswith(NOT_LISTED))
    for types in _batches(listed, TYPES_A_CALL):
        for page in _batches(gateway.events_since(since, types), AT_ONCE):
            _receive(page, brought)
    return brought


def _receive(page: Sequence[GatewayEvent], brought: Harvest) -> None:
    late = clock.now() - LATE
    with db.unit_of_work() as session:
        new = inbox.receive(session, page)
    brought.found += len(new)
    brought.missed += sum(one.event_id in new and one.created_at < late for one in page)
    brought.newest = max(brought.newest, *(one.created_at for one in page))


def _catch_up(gateway: Gateway, since: datetime) -> None:
    """Events of that time are gone: what there is itself says what has become of it."""
    log.error("no pull for a month: lists are read instead", extra={"since": since.isoformat()})
    for kind in (Thing.CHECKOUT, Thing.CHARGE, Thing.REFUND, Thing.DISPUTE):
        listed = gateway.listed(kind, since=since - LONGEST_OPEN)
        for page in _batches(((kind, thing) for thing in listed), AT_ONCE):
            with db.unit_of_work() as session:
                reconciliation.take(session, gateway.name, page)


def _batches(things: Iterable[T], size: int) -> Iterator[Sequence[T]]:
    left = iter(things)
    while batch := list(islice(left, size)):
        yield batch
