"""What was made at the sandbox, as its lists say it."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.models.payment import SandboxReversal, SandboxSession
from luma.services.gateways import sandbox_charges, sandbox_events, sandbox_reversals
from luma.services.gateways.protocol import GatewayMissing, Thing
from luma.services.gateways.sandbox_events import JSON


def listed(session: Session, kind: Thing, since: datetime | None, of: str | None) -> list[JSON]:
    """The newest first, as Stripe does."""
    if kind is Thing.PAYOUT:
        return []
    if kind is Thing.BALANCE:
        moved = [*_moved(_sessions(session, since, None)), *_moved_back(session, since)]
        return [line for line in moved if of in (None, line["source"])]
    only = _paid_by(session, of) if of else None
    if of and only is None:
        return []
    if kind in (Thing.REFUND, Thing.DISPUTE):
        return [sandbox_reversals.shown(row) for row in _reversals(session, kind, since, only)]
    rows = _sessions(session, since, only)
    if kind is Thing.CHARGE:
        return [sandbox_charges.charge(row, is_whole=True) for row in rows if _is_charged(row)]
    return [sandbox_events.session(row) for row in rows]


def _moved(rows: list[SandboxSession]) -> list[JSON]:
    charges = [sandbox_charges.charge(row, is_whole=True) for row in rows if _is_charged(row)]
    return [dict(charge["balance_transaction"]) for charge in charges]  # type: ignore[call-overload]  # it is whole


def _moved_back(session: Session, since: datetime | None) -> list[JSON]:
    kinds = (Thing.REFUND, Thing.DISPUTE)
    rows = [row for kind in kinds for row in _reversals(session, kind, since, None)]
    return [line for row in rows for line in sandbox_charges.moved_back(row)]


def _paid_by(session: Session, payment: str) -> SandboxSession | None:
    try:
        return sandbox_reversals.paid_by(session, payment)
    except GatewayMissing:
        return None


def _reversals(
    session: Session, kind: Thing, since: datetime | None, only: SandboxSession | None
) -> list[SandboxReversal]:
    asked = select(SandboxReversal).where(SandboxReversal.kind == kind.value)
    if since:
        asked = asked.where(SandboxReversal.created_at >= since)
    if only:
        asked = asked.where(SandboxReversal.session_id == only.session_id)
    return list(session.scalars(asked.order_by(SandboxReversal.id.desc())))


def _sessions(
    session: Session, since: datetime | None, only: SandboxSession | None
) -> list[SandboxSession]:
    if only:
        return [only]
    asked = select(SandboxSession).order_by(SandboxSession.id.desc())
    if since:
        asked = asked.where(SandboxSession.created_at >= since)
    return list(session.scalars(asked))


def _is_charged(row: SandboxSession) -> bool:
    """Nothing is charged for what a coupon paid."""
    return row.payment_status == "paid" and bool(sandbox_events.session(row)["amount_total"])
