"""How the sandbox's events travel: kept for a month, and POSTed to the webhook as Stripe would."""

import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import httpx
from procrastinate.types import JSONValue
from sqlalchemy import delete, or_, select, tuple_, update
from sqlalchemy.orm import Session

from luma import db
from luma.errors import NotFound
from luma.models.payment import SandboxSession
from luma.models.sandbox import SandboxEvent
from luma.services import clock, queue
from luma.services.gateways import sandbox_events, sandbox_reversals, signatures
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


def short(key: str) -> str:
    """An id's end that the same key makes again, and no other installation does."""
    return hashlib.sha256(f"{secret()}{key}".encode()).hexdigest()[:24]


def emit(session: Session, kind: str, thing: sandbox_events.JSON) -> None:
    """Keep an event, and send it when this transaction commits, by way of the queue.

    What its checkout is to suffer on the way is done to it here.
    """
    payload = sandbox_events.event(kind, thing, clock.now())
    checkout = _checkout_of(session, thing)
    made = keep(session, payload, checkout.session_id if checkout else None)
    if checkout is None:
        send(session, made)
        return
    held = _held(session, checkout)
    if checkout.drops:
        made.drop()
    elif checkout.swaps and not held:
        made.hold()
    else:
        for _ in range(2 if checkout.delivers_twice else 1):
            send(session, made, *held, in_seconds=checkout.delay_seconds)


def keep(session: Session, payload: str, session_id: str | None = None) -> SandboxEvent:
    read = signatures.read(payload.encode(), "sandbox")
    made = SandboxEvent(
        event_id=read.event_id,
        type=read.type,
        body=payload,
        created_at=read.created_at,
        session_id=session_id,
    )
    session.add(made)
    session.flush()
    return made


def send(session: Session, *rows: SandboxEvent, in_seconds: int = 0) -> None:
    """Deliver these one after the other. What has been delivered is delivered again."""
    for row in rows:
        row.send()
    first, *rest = [row.body for row in rows]
    after: list[JSONValue] = list(rest)
    queue.defer(session, "sandbox.deliver", in_seconds=in_seconds, payload=first, then=after)


def deliver(payload: str, then: Sequence[str] = ()) -> None:
    """POST events to the webhook, signed as of now. Raises GatewayDown to be tried again."""
    ensure_on()
    for body in (payload, *then):
        trouble = _post(body.encode())
        _note(body, trouble)
        if trouble:
            raise GatewayDown


def _post(body: bytes) -> str | None:
    """None when it arrived, else what is wrong, for whoever runs the school."""
    where = f"{settings().base_url}{_door(body)}"
    headers = {
        "Stripe-Signature": signatures.sign(body, secret()),
        "Content-Type": "application/json",
    }
    try:
        answer = httpx.post(where, content=body, headers=headers, timeout=10, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL):
        return f"Nobody answers at {where}. Is LUMA_BASE_URL the address of this school?"
    if answer.status_code == 200:
        return None
    return f"{where} answered {answer.status_code}. Is LUMA_BASE_URL the address of this school?"


def _note(body: str, trouble: str | None) -> None:
    noted = {"trouble": trouble} if trouble else {"trouble": None, "delivered_at": clock.now()}
    event_id = str(json.loads(body).get("id"))
    with db.unit_of_work() as session:
        session.execute(update(SandboxEvent).where(SandboxEvent.event_id == event_id).values(noted))


def _checkout_of(session: Session, thing: sandbox_events.JSON) -> SandboxSession | None:
    """The checkout that an event is about, if it is about one."""
    name, intent = thing.get("id"), thing.get("payment_intent")
    asked = select(SandboxSession).where(
        or_(SandboxSession.session_id == str(name), sandbox_reversals.is_of(str(intent)))
    )
    return session.scalar(asked)


def _held(session: Session, checkout: SandboxSession) -> list[SandboxEvent]:
    asked = select(SandboxEvent).where(
        SandboxEvent.session_id == checkout.session_id, SandboxEvent.fate == "held"
    )
    return list(session.scalars(asked.order_by(SandboxEvent.id).with_for_update()))


def _door(payload: bytes) -> str:
    """Where Stripe would send it: thin events and those of accounts have addresses of their own."""
    event = json.loads(payload)
    if event["object"] == "v2.core.event":
        return "/webhooks/stripe/thin"
    return "/webhooks/stripe/connect" if event.get("account") else "/webhooks/stripe"


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
