"""Links that open once: made for a letter, looked at without harm, used by one press."""

from datetime import timedelta

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma.errors import NotFound
from luma.models.account_token import AccountToken, TokenPurpose
from luma.models.user import User
from luma.services import clock
from luma.services.letters import SingleUse
from luma.services.post import seals

PLACE = seals.PLACE
"""Where a path has its token."""

GONE = "This link has been used or has run out. Ask for a new one."


def issue(
    session: Session, user_id: int, purpose: TokenPurpose, email: str, good_for: timedelta
) -> SingleUse:
    """A new link for this purpose; the one before opens nothing any more."""
    seed, now = seals.new_seed(), clock.now()
    fresh = {
        "token_hash": seals.hash_of(seals.token(seed)),
        "email": email,
        "created_at": now,
        "expires_at": now + good_for,
        "used_at": None,
    }
    new = insert(AccountToken).values(user_id=user_id, purpose=purpose, **fresh)
    session.execute(new.on_conflict_do_update(index_elements=["user_id", "purpose"], set_=fresh))
    return SingleUse(seed, good_for)


def is_live(session: Session, token: str, *purposes: TokenPurpose) -> bool:
    """Whether it would open something now. Looking uses nothing up: mail scanners look."""
    found = _found(session, token, *purposes)
    return found is not None and found.is_live(clock.now())


def owner(session: Session, token: str, *purposes: TokenPurpose) -> int:
    """Whose it is, used or not. Raises NotFound for a token that opens nothing or never did."""
    found = _found(session, token, *purposes)
    if found is None:
        raise NotFound(GONE)
    return found.user_id


def used(session: Session, token: str, *purposes: TokenPurpose) -> AccountToken:
    """Use it up. Of two that do so at once the second raises NotFound."""
    found = _found(session, token, *purposes, lock=True)
    now = clock.now()
    if found is None or not found.is_live(now):
        raise NotFound(GONE)
    found.use(now)
    return found


def forget(session: Session, user_id: int, *purposes: TokenPurpose) -> None:
    """Those that were sent for these purposes, or for any, open nothing any more."""
    gone = delete(AccountToken).where(AccountToken.user_id == user_id)
    if purposes:
        gone = gone.where(AccountToken.purpose.in_(purposes))
    session.execute(gone)


def forget_old(session: Session) -> None:
    week_ago = clock.now() - timedelta(days=7)
    session.execute(delete(AccountToken).where(AccountToken.expires_at < week_ago))


def _found(
    session: Session, token: str, *purposes: TokenPurpose, lock: bool = False
) -> AccountToken | None:
    """Nothing opens for disabled users, nor for an address that is not theirs any more."""
    wanted = (
        select(AccountToken)
        .join(User, User.id == AccountToken.user_id)
        .where(
            AccountToken.token_hash == seals.hash_of(token),
            AccountToken.purpose.in_(purposes),
            _still_theirs(),
            User.disabled_at.is_(None),
        )
    )
    return session.scalar(wanted.with_for_update(of=AccountToken) if lock else wanted)


def _still_theirs() -> ColumnElement[bool]:
    changes = (TokenPurpose.OLD_ADDRESS, TokenPurpose.NEW_ADDRESS)
    return AccountToken.purpose.in_(changes) | (AccountToken.email == User.email)
