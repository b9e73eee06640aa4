"""Set right where the gateway sends its events, because an admin has pressed the button."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from luma import db
from luma.errors import RuleBroken
from luma.services import accounts, audit, clock, gateways, operations, policies
from luma.services.gateways import events
from luma.services.gateways.endpoints import Endpoint
from luma.services.gateways.protocol import KEYS_LAST, Door, Gateway, GatewayRefused
from luma.services.money import endpoint_words, endpoints
from luma.services.policies import Actor


@dataclass(frozen=True, slots=True)
class Created:
    """A new endpoint. The secret is kept nowhere: who loses it rolls it at the gateway."""

    door: Door
    url: str
    variable: str
    secret: str


def look_again(key: str | None) -> str:
    with db.unit_of_work() as session:
        accounts.as_user(session, key, _ensure_admin)
    endpoints.check()
    return "Looked again where events are sent."


def repair(key: str | None, word: object) -> str:
    """Switch on the endpoint of a door, and have it send all that LUMA acts on.

    Raises RuleBroken when there is none, NotPermitted when the key may not change it.
    """
    door = _door(word)
    with db.unit_of_work() as session:
        accounts.as_user(session, key, _ensure_admin)
    gateway = gateways.current()
    here = endpoints.ours(door, _there(gateway, door))
    if not here:
        raise RuleBroken("There is no endpoint for this address any more. Create a new one.")
    gateway.endpoints().mend(here[0], events.WANTED_AT[door])
    with db.unit_of_work() as session:
        accounts.as_user(session, key, _note, "endpoint.repair", door)
    endpoints.check()
    return "Repaired: the endpoint is on, and sends everything that LUMA acts on."


def create(key: str | None, word: object) -> Created:
    """Make the endpoint of a door at the gateway, once, however often it is pressed.

    Its secret is told, so the admin shows once more who they are: raises ProveAgain. Raises
    RuleBroken where there is one, or where nobody could reach it.
    """
    door = _door(word)
    with db.unit_of_work() as session:
        accounts.as_user(session, key, _ensure_fresh_admin)
    gateway, url = gateways.current(), endpoints.address(door)
    if endpoints.is_at_home():
        raise RuleBroken("Stripe cannot reach this machine. Set LUMA_BASE_URL first.")
    operation = _begun(gateway, door, url)
    if operation is None:
        raise RuleBroken("There is an endpoint for this address already. Look again.")
    secret = _made(gateway, door, url, operation)
    with db.unit_of_work() as session:
        operations.finish(session, operation, None)
        accounts.as_user(session, key, _note, "endpoint.create", door)
    endpoints.check()
    return Created(door, url, endpoint_words.VARIABLES[door], secret)


def _begun(gateway: Gateway, door: Door, url: str) -> str | None:
    """The key to create it with. None where it is there, and nobody was told its secret in vain.

    An answer that was lost is asked for again with the same key: then there is an endpoint, and
    the same secret comes once more.
    """
    prefix, request = f"luma:endpoint:{door}:", {"url": url}
    here = endpoints.ours(door, _there(gateway, door))
    with db.unit_of_work() as session:
        endpoints.held(session, gateway.name)
        begun = operations.undone(session, prefix, {**request})
        if here and (begun is None or clock.now() - begun.created_at > KEYS_LAST):
            return None
        return operations.key(session, prefix, {**request})


def _made(gateway: Gateway, door: Door, url: str, operation: str) -> str:
    try:
        return gateway.endpoints().create(door, url, events.WANTED_AT[door], operation)
    except GatewayRefused:
        with db.unit_of_work() as session:
            operations.finish(session, operation, None)
        raise


def _there(gateway: Gateway, door: Door) -> list[Endpoint]:
    return gateway.endpoints().listed(with_thin=door is Door.THIN)


def _note(session: Session, actor: Actor, act: str, door: Door) -> None:
    policies.ensure_admin(actor)
    audit.note(session, actor, act, f"endpoint {door}")


def _ensure_admin(_session: Session, actor: Actor) -> None:
    policies.ensure_admin(actor)


def _ensure_fresh_admin(_session: Session, actor: Actor) -> None:
    policies.ensure_admin(actor)
    policies.ensure_fresh(actor)


def _door(word: object) -> Door:
    """Raises RuleBroken for what no button says."""
    if word not in list(Door):
        raise RuleBroken("This page is not up to date. Load the page again.")
    return Door(str(word))
