"""Whether money is heard of: what the gateway sends, what waits, and what was refused."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from luma.models.payment import StripeEvent
from luma.models.reconciliation import GatewayPull
from luma.services import clock, gateways, policies
from luma.services.gateways import NAMES
from luma.services.gateways.protocol import Door
from luma.services.money import differences, drift, endpoints, pulling, refusals
from luma.services.money.differences import Differs, Sum
from luma.services.money.drift import Paused
from luma.services.money.endpoint_words import Standing
from luma.services.money.endpoints import Checked
from luma.services.money.refusals import Counted
from luma.services.policies import Actor
from luma.settings import settings
from luma.values import EventStatus

WEEK = timedelta(days=7)
DAY = timedelta(days=1)
PULL_LATE = timedelta(hours=1)
MOST_LISTED = 50


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that is not applied."""

    event_id: str
    type: str
    is_dead: bool
    why: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Pull:
    pulled_at: datetime
    found: int
    trouble: str | None
    compared_at: datetime | None
    sums: tuple[Sum, ...]


@dataclass(frozen=True, slots=True)
class Health:
    gateway: str
    mode: str
    """sandbox, test or live."""
    warning: str | None
    last_event_at: datetime | None
    last_event: str
    not_applied: int
    oldest_at: datetime | None
    """Of what is not applied."""
    stuck: tuple[Waiting, ...]
    refused: tuple[Counted, ...]
    pull: Pull | None
    missed: int
    """Of the last week: found by the pull, five minutes late or more, and never delivered."""
    differences: tuple[Differs, ...]
    endpoints: Checked
    paused: tuple[Paused, ...]


def health(session: Session, actor: Actor) -> Health:
    """Raises NotAllowed unless the actor is an admin."""
    policies.ensure_admin(actor)
    newest = _newest_delivery(session)
    waits = StripeEvent.status.in_([EventStatus.NEW, EventStatus.PARKED, EventStatus.DEAD])
    count, oldest = session.execute(
        select(func.count(), func.min(StripeEvent.received_at)).where(waits)
    ).one()
    read = pulling.row(session)
    return Health(
        gateway=NAMES[gateways.current().name],
        mode=mode(),
        warning=warning(session),
        last_event_at=newest[0] if newest else None,
        last_event=newest[1] if newest else "",
        not_applied=count,
        oldest_at=oldest,
        stuck=_stuck(session),
        refused=refusals.of_the_week(session),
        pull=_pull(read) if read else None,
        missed=_missed(session, WEEK),
        differences=differences.open_now(session),
        endpoints=endpoints.checked(session),
        paused=drift.paused(session, actor),
    )


def warning(session: Session) -> str | None:
    """For sellers and admins: why buying is slow or impossible now, in a sentence, or None."""
    who = NAMES[gateways.current().name]
    if not gateways.current().is_set_up():
        return (
            "Nobody can buy: LUMA_STRIPE_WEBHOOK_SECRET is not set, so what Stripe sends cannot "
            "be believed."
        )
    read = pulling.row(session)
    if read and read.trouble and read.pulled_at < clock.now() - PULL_LATE:
        return f"{who} has not answered for more than an hour. Orders wait until it does."
    newest = _newest_delivery(session)
    if _missed(session, DAY, after=newest[0] if newest else None):
        return (
            f"{who} does not deliver its events here. LUMA fetches them every 15 minutes, so "
            "courses open that much later."
        )
    return _of_endpoints(session, newest[0] if newest else None)


def _of_endpoints(session: Session, last_event_at: datetime | None) -> str | None:
    """An endpoint with another address may pass its events on: while they come, all is well."""
    is_heard = last_event_at is not None and last_event_at > clock.now() - DAY
    for one in endpoints.checked(session).verdicts:
        if one.door is not Door.PLATFORM or not one.is_bad:
            continue
        if one.standing is Standing.WRONG or not is_heard:
            return (
                "Stripe is not set up to send everything that happens to a payment, so courses "
                "may open late. An admin finds out why under Payments."
            )
    return None


def mode() -> str:
    if settings().uses_sandbox:
        return "sandbox"
    return "live" if settings().livemode else "test"


def _pull(row: GatewayPull) -> Pull:
    sums = tuple(Sum.thawed(one) for one in row.sums or [])
    return Pull(row.pulled_at, row.found, row.trouble, row.compared_at, sums)


def _newest_delivery(session: Session) -> tuple[datetime, str] | None:
    row = session.execute(
        select(StripeEvent.received_at, StripeEvent.type)
        .where(StripeEvent.source != "pull")
        .order_by(StripeEvent.id.desc())
        .limit(1)
    ).one_or_none()
    return (row[0], row[1]) if row else None


def _missed(session: Session, span: timedelta, after: datetime | None = None) -> int:
    conditions: list[ColumnElement[bool]] = [
        StripeEvent.source == "pull",
        StripeEvent.received_at > clock.now() - span,
        StripeEvent.received_at - StripeEvent.created_at > pulling.LATE,
    ]
    if after is not None:
        conditions.append(StripeEvent.received_at > after)
    return session.scalar(select(func.count(StripeEvent.id)).where(*conditions)) or 0


def _stuck(session: Session) -> tuple[Waiting, ...]:
    asked = select(StripeEvent).where(
        StripeEvent.status.in_([EventStatus.PARKED, EventStatus.DEAD])
    )
    rows = session.scalars(asked.order_by(StripeEvent.id.desc()).limit(MOST_LISTED))
    return tuple(
        Waiting(
            row.event_id,
            row.type,
            row.status is EventStatus.DEAD,
            row.last_error or "",
            row.received_at,
        )
        for row in rows
    )
