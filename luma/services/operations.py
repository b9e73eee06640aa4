"""Calls to make at a gateway, written down before they are made, so that retries are harmless."""

import secrets

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma.models.payment import GatewayOperation
from luma.services import clock

Request = dict[str, object]


def key(session: Session, prefix: str, request: Request) -> str:
    """That of the same operation if it was begun and not finished, else a new one.

    The caller holds a lock on the thing: of two at once the second finds what the first began.
    """
    if begun := undone(session, prefix, request):
        return begun.key
    return note(session, f"{prefix}{secrets.token_hex(8)}", request)


def undone(
    session: Session, prefix: str, request: Request | None = None
) -> GatewayOperation | None:
    """The oldest operation begun under this prefix and not finished."""
    begun = select(GatewayOperation).where(
        GatewayOperation.key.startswith(prefix, autoescape=True),
        GatewayOperation.done_at.is_(None),
    )
    if request is not None:
        begun = begun.where(GatewayOperation.request == request)
    return session.scalars(begun.order_by(GatewayOperation.id).limit(1)).first()


def note(session: Session, key: str, request: Request) -> str:
    new = insert(GatewayOperation).values(key=key, request=request, created_at=clock.now())
    session.execute(new.on_conflict_do_nothing())
    return key


def finish(session: Session, key: str, result: str | None) -> None:
    """Done, or refused for good: this key is not asked again."""
    session.execute(
        update(GatewayOperation)
        .where(GatewayOperation.key == key)
        .values(done_at=clock.now(), result_id=result)
    )
