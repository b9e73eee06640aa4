"""Where somebody is signed in, and ending it from anywhere."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Update, select, update
from sqlalchemy.orm import Session

from luma.errors import NotFound
from luma.models.user import SignedIn
from luma.services import clock, devices, texts
from luma.services.policies import Actor

IDLE = timedelta(days=14)
"""How long a session lives that nobody uses."""

MOST_LISTED = 100
GONE = "This browser is signed out already."


@dataclass(frozen=True, slots=True)
class Line:
    id: int
    device: str
    """Browser and system, in words."""
    address: str
    last_seen_at: datetime
    since: datetime
    is_this: bool


def mine(session: Session, actor: Actor) -> tuple[Line, ...]:
    """The one in which the actor acts first, then the one seen last."""
    now = clock.now()
    is_this = SignedIn.token_hash == bytes.fromhex(actor.session_key)
    rows = session.scalars(
        select(SignedIn)
        .where(
            SignedIn.user_id == actor.id,
            SignedIn.revoked_at.is_(None),
            SignedIn.expires_at > now,
            SignedIn.last_seen_at > now - IDLE,
        )
        .order_by(is_this.desc(), SignedIn.last_seen_at.desc())
        .limit(MOST_LISTED)
    )
    return tuple(_line(row, actor) for row in rows)


def end(session: Session, actor: Actor, session_id: object) -> list[str]:
    """Sign out there. Returns the keys of the sessions that ended. Raises NotFound."""
    number = texts.whole_number(session_id, "A session", 1, 2**62)
    ended = _ended(session, _of(actor).where(SignedIn.id == number))
    if not ended:
        raise NotFound(GONE)
    return ended


def end_others(session: Session, actor: Actor) -> list[str]:
    """Sign out everywhere but here. Returns the keys of the sessions that ended."""
    here = bytes.fromhex(actor.session_key)
    return _ended(session, _of(actor).where(SignedIn.token_hash != here))


def _of(actor: Actor) -> Update:
    return update(SignedIn).where(SignedIn.user_id == actor.id, SignedIn.revoked_at.is_(None))


def _ended(session: Session, which: Update) -> list[str]:
    ended = session.scalars(which.values(revoked_at=clock.now()).returning(SignedIn.token_hash))
    return [token_hash.hex() for token_hash in ended]


def _line(row: SignedIn, actor: Actor) -> Line:
    return Line(
        id=row.id,
        device=devices.words(row.user_agent),
        address=row.address,
        last_seen_at=row.last_seen_at,
        since=row.created_at,
        is_this=row.token_hash.hex() == actor.session_key,
    )
