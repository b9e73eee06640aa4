"""The charge behind a paid checkout of the sandbox, and what it would have cost at Stripe."""

from datetime import datetime

from sqlalchemy.orm import Session

from luma import currencies
from luma.models.payment import SandboxReversal, SandboxSession
from luma.services.gateways import sandbox_events, sandbox_reversals
from luma.services.gateways.sandbox_events import JSON

FEE_PER_MILLE = 29
FEE_FIXED = 30
"""2.9 % and 30 cents, rounded down; nothing fixed where there are no cents."""


GONE = {"refund": ("refund", "refund_failure"), "dispute": ("adjustment", "adjustment")}
HELD, IN_VAIN = ("succeeded", "needs_response", "lost"), ("failed", "won")


def fee(minor: int, currency: str) -> int:
    fixed = FEE_FIXED if currencies.places(currency) else 0
    return minor * FEE_PER_MILLE // 1000 + fixed


def charge(row: SandboxSession, *, is_whole: bool = False) -> JSON:
    """As Stripe shows it: what it settled to is only named, unless it is asked for as well."""
    session = sandbox_events.session(row)
    intent = sandbox_events.intent_id(row.session_id)
    minor, currency = int(str(session["amount_total"])), str(session["currency"])
    created = int(row.created_at.timestamp())
    settled = _transaction(intent, minor, currency, row.created_at)
    return {
        "id": f"ch_{intent[3:]}",
        "object": "charge",
        "amount": minor,
        "amount_captured": minor,
        "amount_refunded": 0,
        "balance_transaction": settled if is_whole else settled["id"],
        "billing_details": {
            "address": None,
            "email": None,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        "captured": True,
        "created": created,
        "currency": currency,
        "disputed": False,
        "livemode": False,
        "metadata": session["metadata"],
        "paid": True,
        "payment_intent": intent,
        "receipt_url": None,
        "refunded": False,
        "status": "succeeded",
    }


def found(session: Session, charge_id: str) -> JSON:
    """With what it settled to. Raises GatewayMissing."""
    row = sandbox_reversals.paid_by(session, f"pi_{charge_id.removeprefix('ch_')}")
    return charge(row, is_whole=True)


def moved_back(row: SandboxReversal) -> list[JSON]:
    """What a refund or a dispute took from the balance; then, if it was in vain, put back."""
    gone, back = GONE[row.kind]
    kinds = [gone] if row.status in HELD else [gone, back] if row.status in IN_VAIN else []
    return [
        _line(row.object_id, kind, sign * row.amount_minor, row.amount_currency, row.created_at)
        for kind, sign in zip(kinds, (-1, 1), strict=False)
    ]


def _transaction(intent: str, minor: int, currency: str, created: datetime) -> JSON:
    kept = fee(minor, currency)
    return _line(f"ch_{intent[3:]}", "charge", minor, currency, created, kept) | {
        "id": f"txn_{intent[3:]}"
    }


def _line(source: str, kind: str, minor: int, currency: str, when: datetime, kept: int = 0) -> JSON:
    """A balance transaction, of so much before the fee."""
    created = int(when.timestamp())
    return {
        "id": f"txn_{kind}_{source}",
        "object": "balance_transaction",
        "amount": minor,
        "available_on": created,
        "balance_type": "payments",
        "created": created,
        "currency": currency,
        "description": None,
        "exchange_rate": None,
        "fee": kept,
        "fee_details": [],
        "net": minor - kept,
        "reporting_category": kind,
        "source": source,
        "status": "available",
        "type": kind,
    }
