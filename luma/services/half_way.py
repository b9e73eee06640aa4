"""Between the password and the code: a browser that has shown the one and not yet the other."""

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from luma.errors import SignInNeeded
from luma.models.second_factor import HalfSignIn
from luma.models.user import AttemptKind, User
from luma.services import attempts, clock

LASTS = timedelta(minutes=10)
OVER = "That took too long. Sign in again."


def begin(session: Session, user_id: int) -> str:
    """A token for this browser, good for typing a code and for nothing else."""
    token = secrets.token_urlsafe(32)
    expires = clock.now() + LASTS
    session.add(HalfSignIn(token_hash=_hash(token), user_id=user_id, expires_at=expires))
    return token


def is_waiting(session: Session, token: str) -> bool:
    return _owner(session, token) is not None


def count_try(session: Session, token: str) -> None:
    """To be committed before the code is looked at. Raises SignInNeeded, TooMany."""
    attempts.count(session, AttemptKind.SECOND_FACTOR, str(owner(session, token)))


def owner(session: Session, token: str) -> int:
    """Raises SignInNeeded when it has ended."""
    found = _owner(session, token)
    if found is None:
        raise SignInNeeded(OVER)
    return found


def end(session: Session, token: str) -> None:
    """Used up. Of two that end it at once, the second raises SignInNeeded."""
    ended = delete(HalfSignIn).where(HalfSignIn.token_hash == _hash(token))
    if session.scalar(ended.returning(HalfSignIn.id)) is None:
        raise SignInNeeded(OVER)


def end_all(session: Session, user_id: int) -> None:
    """Whoever is half-way in has to begin again: the password is another one."""
    session.execute(delete(HalfSignIn).where(HalfSignIn.user_id == user_id))


def forget_old(session: Session) -> None:
    session.execute(delete(HalfSignIn).where(HalfSignIn.expires_at < clock.now()))


def _owner(session: Session, token: str) -> int | None:
    return session.scalar(
        select(HalfSignIn.user_id)
        .join(User, User.id == HalfSignIn.user_id)
        .where(
            HalfSignIn.token_hash == _hash(token),
            HalfSignIn.expires_at > clock.now(),
            User.disabled_at.is_(None),
        )
    )


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
