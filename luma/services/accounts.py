"""Sign up, sign in, change a password, act as a user."""

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma.errors import NotAllowed, NotFound, RuleBroken, SignInNeeded
from luma.models.user import AttemptKind, SignedIn, User, UserRole
from luma.services import (
    attempts,
    audit,
    clock,
    half_way,
    notices,
    profiles,
    second_factor,
    sessions,
    texts,
    verification,
)
from luma.services.policies import Actor
from luma.values import Role

P = ParamSpec("P")
R = TypeVar("R")
Action = Callable[Concatenate[Session, Actor, P], R]

IDLE = sessions.IDLE
ABSOLUTE = timedelta(days=30)
ABSOLUTE_FOR_STAFF = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=5)

WRONG = "That e-mail address and password do not go together."


@dataclass(frozen=True, slots=True)
class Known:
    """What is needed to check a password outside any transaction. Both are null for strangers."""

    user_id: int | None
    password_hash: str | None


@dataclass(frozen=True, slots=True)
class Visit:
    """Where somebody signs in from."""

    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """The token for their browser: of a session, or of half a sign-in that still needs a code."""

    token: str
    is_half: bool


def email_address(text: object) -> str:
    """The address in the one form we store: lower case, ASCII. Raises RuleBroken."""
    email = texts.line(text, "E-mail address", 254).lower()
    is_ours = email.endswith(".invalid")  # rehearsing buyers, and those who left
    if is_ours or not re.fullmatch(r"[!-?A-~]+@[a-z0-9-]+(\.[a-z0-9-]+)+", email):
        raise RuleBroken("Type an e-mail address such as anna@example.org.")
    return email


def person_name(text: object) -> str:
    return texts.line(text, "Name", 80)


def sign_up(
    session: Session, name: str, email: str, password_hash: str, role: Role, visit: Visit
) -> str:
    """Make an account, signed in: returns its token. Raises RuleBroken for a taken address."""
    if role is Role.ADMIN:
        raise NotAllowed("Nobody signs up as an admin.")
    new = insert(User).values(
        name=person_name(name),
        email=email_address(email),
        password_hash=password_hash,
        created_at=clock.now(),
    )
    user_id: int | None = session.scalar(new.on_conflict_do_nothing().returning(User.id))
    if user_id is None:
        raise RuleBroken("This e-mail address has an account already. Sign in instead.")
    _add_role(session, user_id, Role.STUDENT)
    _add_role(session, user_id, role)
    verification.write(session, user_id, email_address(email))
    return open_session(session, user_id, visit)


def begin_sign_up(session: Session, address: str) -> None:
    """Count one attempt, whatever becomes of it. Raises TooMany."""
    attempts.count(session, AttemptKind.SIGN_UP, address)


def begin_sign_in(session: Session, email: str, address: str) -> Known:
    """Count one attempt and say whose password to check. Raises TooMany.

    Counted before the password is looked at, so that many guesses at once are no way around.
    """
    attempts.count(session, AttemptKind.ACCOUNT, email)
    attempts.count(session, AttemptKind.ADDRESS, address)
    attempts.count(session, AttemptKind.EVERYONE, "")
    row = session.execute(
        select(User.id, User.password_hash).where(User.email == email, User.disabled_at.is_(None))
    ).first()
    return Known(row.id, row.password_hash) if row else Known(None, None)


def finish_sign_in(
    session: Session, user_id: int, email: str, visit: Visit, new_hash: str | None = None
) -> Admitted:
    """The password was right: forget the attempts and let them in."""
    if new_hash is not None:
        session.execute(update(User).where(User.id == user_id).values(password_hash=new_hash))
    _forgive(session, email, visit.address)
    return admit(session, user_id, visit)


def admit(session: Session, user_id: int, visit: Visit) -> Admitted:
    """The one way in, by whatever means they showed who they are: all the way, or half of it."""
    if second_factor.is_on(session, user_id):
        return Admitted(half_way.begin(session, user_id), is_half=True)
    return Admitted(open_session(session, user_id, visit), is_half=False)


def open_session(session: Session, user_id: int, visit: Visit) -> str:
    """A new token for this user's browser: 32 random bytes, of which we keep the SHA-256."""
    notices.new_sign_in(session, user_id, visit.address, visit.user_agent)
    now = clock.now()
    roles = session.scalars(select(UserRole.role).where(UserRole.user_id == user_id)).all()
    token = secrets.token_urlsafe(32)
    session.add(
        SignedIn(
            token_hash=bytes.fromhex(key_of(token)),
            user_id=user_id,
            created_at=now,
            last_seen_at=now,
            authenticated_at=now,
            expires_at=now + (ABSOLUTE_FOR_STAFF if Role.ADMIN in roles else ABSOLUTE),
            address=visit.address[:45],
            user_agent="".join(s for s in visit.user_agent if s.isprintable())[:200],
        )
    )
    return token


def key_of(token: str) -> str:
    """What stands for a session inside LUMA: the SHA-256 of its token, in hex."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def close_session(session: Session, key: str) -> None:
    """Sign out. Twice changes nothing."""
    session.execute(
        update(SignedIn)
        .where(SignedIn.token_hash == bytes.fromhex(key), SignedIn.revoked_at.is_(None))
        .values(revoked_at=clock.now())
    )


def as_user(
    session: Session, key: str | None, action: Action[P, R], /, *args: P.args, **kwargs: P.kwargs
) -> R:
    """Run a service in the name of whoever this session belongs to. Raises SignInNeeded."""
    actor = viewer(session, key)
    if actor is None:
        raise SignInNeeded
    return action(session, actor, *args, **kwargs)


def viewer(session: Session, key: str | None) -> Actor | None:
    """Who is signed in with this key now, with the roles of this moment."""
    signed_in = _alive(session, key)
    if signed_in is None:
        return None
    now = clock.now()
    if now - signed_in.last_seen_at > SEEN_EVERY:
        seen = update(SignedIn).where(SignedIn.id == signed_in.id)
        session.execute(seen.values(last_seen_at=now))
    return Actor(
        signed_in.user_id,
        signed_in.name,
        signed_in.email,
        signed_in.roles,
        session_key=key or "",
        authenticated_at=signed_in.authenticated_at,
    )


def is_alive(session: Session, key: str) -> bool:
    return _alive(session, key) is not None


def change_password(
    session: Session, actor: Actor, new_hash: str, visit: Visit
) -> tuple[str, list[str]]:
    """Set the new password. Returns a new token, and the keys of the sessions that ended."""
    session.execute(update(User).where(User.id == actor.id).values(password_hash=new_hash))
    _forgive(session, actor.email, visit.address)
    notices.password_changed(session, actor.id)
    ended = end_sessions(session, actor.id)
    return open_session(session, actor.id, visit), ended


def end_sessions(session: Session, user_id: int) -> list[str]:
    """Sign this user out everywhere. Returns the keys of the sessions that ended."""
    ended = session.scalars(
        update(SignedIn)
        .where(SignedIn.user_id == user_id, SignedIn.revoked_at.is_(None))
        .values(revoked_at=clock.now())
        .returning(SignedIn.token_hash)
    )
    return [token_hash.hex() for token_hash in ended]


def begin_teaching(session: Session, actor: Actor) -> None:
    """One person may learn and teach. Twice changes nothing."""
    _add_role(session, actor.id, Role.INSTRUCTOR)


def grant_admin(session: Session, email: str) -> None:
    """Raises NotFound for an address without an account. Ends the user's sessions."""
    user_id = session.scalar(select(User.id).where(User.email == email_address(email)))
    if user_id is None:
        raise NotFound("No account has this e-mail address. Sign up first.")
    _add_role(session, user_id, Role.ADMIN)
    audit.note(
        session,
        None,
        "user.grant_role",
        f"user {user_id}",
        after={"role": Role.ADMIN, "by": "command line"},
    )
    end_sessions(session, user_id)


@dataclass(frozen=True, slots=True)
class _Alive:
    """A session that has not ended, and whose it is."""

    id: int
    last_seen_at: datetime
    authenticated_at: datetime
    user_id: int
    name: str
    email: str
    roles: frozenset[Role]


# Asked with every request, so it is built once and brings plain columns.
_ROLES = select(func.array_agg(UserRole.role)).where(UserRole.user_id == User.id)
_ALIVE = (
    select(SignedIn.id, SignedIn.last_seen_at, SignedIn.authenticated_at)
    .add_columns(User.id, User.name, User.email, _ROLES.scalar_subquery())
    .join(User, User.id == SignedIn.user_id)
    .where(
        SignedIn.token_hash == bindparam("token_hash"),
        SignedIn.revoked_at.is_(None),
        SignedIn.expires_at > bindparam("now"),
        SignedIn.last_seen_at > bindparam("idle_since"),
        User.disabled_at.is_(None),
    )
)


def _alive(session: Session, key: str | None) -> _Alive | None:
    if key is None:
        return None
    now = clock.now()
    asked = {"token_hash": bytes.fromhex(key), "now": now, "idle_since": now - IDLE}
    found = session.execute(_ALIVE, asked).one_or_none()
    if found is None:
        return None
    number, seen, proved, user_id, name, email, words = found
    return _Alive(number, seen, proved, user_id, name, email, frozenset(map(Role, words or ())))


def _add_role(session: Session, user_id: int, role: Role) -> None:
    session.execute(insert(UserRole).values(user_id=user_id, role=role).on_conflict_do_nothing())
    if role is Role.INSTRUCTOR:
        profiles.open_for(session, user_id)


def _forgive(session: Session, email: str, address: str) -> None:
    """All wrong guesses of the account, but only this one attempt of the address."""
    attempts.forgive_one(session, AttemptKind.ADDRESS, address)
    attempts.forgive(session, AttemptKind.ACCOUNT, email)
