"""What an event says about a payment that the card's issuer takes for fraud."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from luma.services.gateways import things

WARNED = "radar.early_fraud_warning.created"
FRAUD_WARNINGS = frozenset({WARNED})


@dataclass(frozen=True, slots=True)
class WarningFact:
    warning_id: str
    payment_intent_id: str | None
    charge_id: str | None
    reason: str
    """Stripe's word: made_with_stolen_card, card_never_received, …"""
    is_actionable: bool
    """Whether a refund would still spare a dispute: it is not refunded or disputed already."""
    happened_at: datetime


def warning(thing: Mapping[str, Any]) -> WarningFact:
    """Raises ValueError, TypeError or KeyError for what is no warning."""
    charge = thing.get("charge")
    charge_id = things.text(charge, "id") if isinstance(charge, Mapping) else None
    return WarningFact(
        warning_id=things.id_of(thing, "a fraud warning"),
        payment_intent_id=things.payment_of(thing),
        charge_id=charge_id or things.text(thing, "charge"),
        reason=(things.text(thing, "fraud_type") or "misc")[:80],
        is_actionable=thing.get("actionable") is True,
        happened_at=datetime.fromtimestamp(thing["created"], UTC),
    )
