"""A forgotten password: asked for, written to whoever has the address, and set anew once."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from luma.models.account_token import TokenPurpose
from luma.models.user import AttemptKind, User
from luma.services import (
    accounts,
    attempts,
    clock,
    half_way,
    letters,
    notices,
    queue,
    sealing,
    tokens,
)

GOOD_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Owner:
    name: str
    email: str


def ask(session: Session, email: str, address: str) -> None:
    """Have a letter written, if the address has an account. Raises RuleBroken, TooMany.

    Who has one is looked up by a job later on, so that here nobody can tell: the same
    statements run, the same job is queued, whether or not.
    """
    known_as = accounts.email_address(email)
    attempts.count(session, AttemptKind.RESET_FROM, address)
    attempts.count(session, AttemptKind.RESET, known_as)
    queue.defer(session, "accounts.write_reset", sealed=sealing.seal(known_as).decode())


def write(session: Session, sealed: str) -> None:
    """The job: the address travels sealed, because jobs that fail are logged."""
    email = sealing.opened(sealed.encode())
    user_id = session.scalar(select(User.id).where(User.email == email, User.disabled_at.is_(None)))
    if email is None or user_id is None:
        return
    link = tokens.issue(session, user_id, TokenPurpose.RESET, email, GOOD_FOR)
    letters.write(
        session,
        user_id,
        "reset",
        subject="Choose a new password",
        text="Somebody asked for a new password for your account at LUMA. If it was you, choose "
        "one. The link works once, for one hour, and signs you out everywhere else.\n\nIf it was "
        "not you, do nothing: your password stays as it is.",
        button=("Choose a new password", f"/reset/{tokens.PLACE}"),
        single_use=link,
    )


def owner(session: Session, token: str) -> Owner | None:
    """Whose password it sets, for as long as it does. Looking uses nothing up."""
    if not tokens.is_live(session, token, TokenPurpose.RESET):
        return None
    user_id = tokens.owner(session, token, TokenPurpose.RESET)
    name, email = session.execute(select(User.name, User.email).where(User.id == user_id)).one()
    return Owner(name, email)


def finish(session: Session, token: str, new_hash: str) -> list[str]:
    """Set the password and sign them out everywhere: returns the keys of the sessions that ended.

    They have shown that the address is theirs, so it is confirmed as well. Raises NotFound.
    """
    used = tokens.used(session, token, TokenPurpose.RESET)
    session.execute(
        update(User)
        .where(User.id == used.user_id)
        .values(
            password_hash=new_hash,
            email_verified_at=func.coalesce(User.email_verified_at, clock.now()),
        )
    )
    attempts.forgive(session, AttemptKind.ACCOUNT, used.email)
    tokens.forget(session, used.user_id)
    half_way.end_all(session, used.user_id)
    notices.password_changed(session, used.user_id)
    return accounts.end_sessions(session, used.user_id)
