"""Whether money is heard of: what the gateway sends, what waits, and what was refused."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.models.payment import StripeEvent
from luma.services import gateways, policies
from luma.services.money.reconciliation import NAMES
from luma.services.policies import Actor
from luma.settings import settings


@dataclass(frozen=True, slots=True)
class Health:
    gateway: str
    mode: str
    """sandbox, test or live."""
    last_event_at: datetime | None
    last_event: str


def health(session: Session, actor: Actor) -> Health:
    """Raises NotAllowed unless the actor is an admin."""
    policies.ensure_admin(actor)
    name = gateways.current().name
    newest = session.execute(
        select(StripeEvent.received_at, StripeEvent.type)
        .where(StripeEvent.source != "pull")
        .order_by(StripeEvent.id.desc())
        .limit(1)
    ).one_or_none()
    return Health(
        gateway=NAMES[name],
        mode=mode(),
        last_event_at=newest[0] if newest else None,
        last_event=newest[1] if newest else "",
    )


def mode() -> str:
    if settings().uses_sandbox:
        return "sandbox"
    return "live" if settings().livemode else "test"
