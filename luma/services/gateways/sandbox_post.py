"""How the sandbox's events travel: kept for a month, and POSTed to the webhook as Stripe would."""

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import httpx
from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import Session

from luma import db
from luma.errors import NotFound
from luma.models.sandbox import SandboxEvent
from luma.services import clock, queue
from luma.services.gateways import sandbox_events, signatures
from luma.services.gateways.protocol import GatewayDown, GatewayEvent
from luma.settings import settings

KEPT_FOR = timedelta(days=30)
"""As long as Stripe keeps its own."""

AT_ONCE = 100


def ensure_on() -> None:
    """Raises NotFound in production and wherever a Stripe key is set."""
    if settings().is_production or not settings().uses_sandbox:
        raise NotFound("There is no sandbox here.")


def secret() -> str:
    """Made from this installation's own secret, so that nobody else's sandbox is believed."""
    ours = settings().signing_secret().encode()
    return f"whsec_sbx_{hmac.new(ours, b'sandbox webhook', hashlib.sha256).hexdigest()}"


def emit(session: Session, kind: str, thing: sandbox_events.JSON) -> None:
    """Keep an event, and send it when this transaction commits, by way of the queue."""
    payload = sandbox_events.event(kind, thing, clock.now())
    keep(session, payload)
    queue.defer(session, "sandbox.deliver", payload=payload)


def keep(session: Session, payload: str) -> None:
    made = signatures.read(payload.encode(), "sandbox")
    session.add(
        SandboxEvent(
            event_id=made.event_id, type=made.type, body=payload, created_at=made.created_at
        )
    )


def deliver(payload: str) -> None:
    """POST one event to the webhook, signed as of now. Raises GatewayDown to be tried again."""
    ensure_on()
    body = payload.encode()
    headers = {
        "Stripe-Signature": signatures.sign(body, secret()),
        "Content-Type": "application/json",
    }
    try:
        answer = httpx.post(
            f"{settings().base_url}/webhooks/stripe",
            content=body,
            headers=headers,
            timeout=10,
            trust_env=False,
        )
    except httpx.HTTPError as error:
        raise GatewayDown from error
    if answer.status_code != 200:
        raise GatewayDown


def events_since(since: datetime, types: Sequence[str]) -> Iterator[GatewayEvent]:
    """Everything that was made, whatever became of it on its way."""
    ensure_on()
    after = (since.replace(microsecond=0), 0)
    while page := _page(after, types):
        for row in page:
            yield signatures.read(row.body.encode(), "pull")
        after = (page[-1].created_at, page[-1].id)


def forget_old(session: Session) -> None:
    session.execute(delete(SandboxEvent).where(SandboxEvent.created_at < clock.now() - KEPT_FOR))


def _page(after: tuple[datetime, int], types: Sequence[str]) -> list[SandboxEvent]:
    with db.unit_of_work() as session:
        asked = (
            select(SandboxEvent)
            .where(
                tuple_(SandboxEvent.created_at, SandboxEvent.id) > after,
                SandboxEvent.type.in_(types),
            )
            .order_by(SandboxEvent.created_at, SandboxEvent.id)
            .limit(AT_ONCE)
        )
        return list(session.scalars(asked))
