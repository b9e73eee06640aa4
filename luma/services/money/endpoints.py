"""Whether the gateway sends what LUMA needs to where LUMA is: asked by a job, judged when read."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Select, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma import db
from luma.errors import LumaError
from luma.models.payee import Payee
from luma.models.reconciliation import EndpointCheck
from luma.services import clock, gateways
from luma.services.gateways import events
from luma.services.gateways.endpoints import Endpoint
from luma.services.gateways.protocol import Door, Gateway
from luma.services.money import endpoint_words
from luma.services.money.endpoint_words import Verdict
from luma.settings import settings

log = logging.getLogger(__name__)

PATHS = {
    Door.PLATFORM: ("/webhooks/stripe/platform", "/webhooks/stripe"),
    Door.CONNECT: ("/webhooks/stripe/connect",),
    Door.THIN: ("/webhooks/stripe/thin",),
}
"""The first is the one to write down."""

AT_HOME = ("127.0.0.1", "localhost", "::1", "0.0.0.0")  # noqa: S104  (nothing listens here)


@dataclass(frozen=True, slots=True)
class Checked:
    """`trouble` is why the last try brought nothing newer."""

    at: datetime | None
    trouble: str | None
    verdicts: tuple[Verdict, ...]


def check() -> None:
    """Ask the gateway and keep what it says. Waits for the network; twice is harmless."""
    gateway = gateways.current()
    with db.unit_of_work() as session:
        with_thin = is_needed(session, Door.THIN)
    try:
        found = [_kept(one) for one in gateway.endpoints().listed(with_thin=with_thin)]
    except LumaError as error:
        log.warning("nobody said where events go", extra={"why": str(error)})
        with db.unit_of_work() as session:
            held(session, gateway.name).break_off(str(error))
        return
    with db.unit_of_work() as session:
        held(session, gateway.name).answer(found, clock.now())


def checked(session: Session) -> Checked:
    row = session.scalar(_asked(gateways.current().name))
    if row is None or row.checked_at is None:
        return Checked(None, row.trouble if row else None, ())
    found = [_read(one) for one in row.found]
    return Checked(row.checked_at, row.trouble, tuple(_verdict(session, d, found) for d in Door))


def is_needed(session: Session, door: Door) -> bool:
    """Events of instructors' accounts are, once somebody has one or a secret is there for them."""
    if door is Door.PLATFORM or settings().webhook_secrets(door):
        return True
    anybody = exists().where(Payee.gateway == gateways.current().name)
    return bool(session.scalar(select(anybody)))


def held(session: Session, gateway: str) -> EndpointCheck:
    """Made when it is missing, and locked."""
    new = insert(EndpointCheck).values(gateway=gateway, livemode=settings().livemode, found=[])
    session.execute(new.on_conflict_do_nothing())
    return session.scalars(_asked(gateway).with_for_update()).one()


def address(door: Door) -> str:
    return f"{settings().base_url}{PATHS[door][0]}"


def is_at_home() -> bool:
    """Whether nobody outside of this machine reaches LUMA."""
    return urlsplit(settings().base_url).hostname in AT_HOME


def ours(door: Door, found: Iterable[Endpoint]) -> list[Endpoint]:
    """Those that lead to this door: what works comes first."""
    addresses = [f"{settings().base_url}{path}" for path in PATHS[door]]
    here = [
        one
        for one in found
        if one.is_thin is (door is Door.THIN) and one.url.rstrip("/") in addresses
    ]
    wanted = events.WANTED_AT[door]
    return sorted(here, key=lambda one: (not one.is_enabled, len(one.lacks(wanted))))


def secret_is_known(gateway: Gateway, door: Door) -> bool:
    return gateway.name == "sandbox" or bool(settings().webhook_secrets(door))


def _asked(gateway: str) -> Select[EndpointCheck]:
    return select(EndpointCheck).where(
        EndpointCheck.gateway == gateway, EndpointCheck.livemode == settings().livemode
    )


def _verdict(session: Session, door: Door, found: list[Endpoint]) -> Verdict:
    here = ours(door, found)
    if here:
        known = secret_is_known(gateways.current(), door)
        return endpoint_words.of_found(door, here, secret_is_known=known)
    if not is_needed(session, door):
        return endpoint_words.not_needed(door, address(door))
    if is_at_home():
        return endpoint_words.at_home(door, address(door))
    strange = [one.url for one in found if urlsplit(one.url).path.rstrip("/") in PATHS[door]]
    return endpoint_words.missing(door, address(door), strange)


def _kept(one: Endpoint) -> dict[str, object]:
    return {
        "endpoint_id": one.endpoint_id,
        "url": one.url,
        "is_enabled": one.is_enabled,
        "is_thin": one.is_thin,
        "release": one.release,
        "types": sorted(one.types),
    }


def _read(kept: dict[str, Any]) -> Endpoint:
    return Endpoint(**{**kept, "types": frozenset(kept["types"])})
