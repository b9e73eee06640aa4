"""Showing who one is: the code after the password, and once more before what matters."""

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from luma.models.user import SignedIn, User
from luma.services import accounts, clock, half_way, identities, policies, second_factor
from luma.services.accounts import Visit
from luma.services.policies import Actor


@dataclass(frozen=True, slots=True)
class Ways:
    """By what somebody can show once more who they are."""

    password: bool
    code: bool
    provider: str | None = None
    """What the identity provider of the account is called."""


def admit_with_code(session: Session, half_token: str, code: str, visit: Visit) -> str:
    """The second half of signing in. Call `half_way.count_try` before, in its own transaction."""
    user_id = half_way.owner(session, half_token)
    second_factor.check(session, user_id, code)
    half_way.end(session, half_token)
    return accounts.open_session(session, user_id, visit)


def ways(session: Session, actor: Actor) -> Ways:
    has_password = select(User.password_hash.is_not(None)).where(User.id == actor.id)
    linked = identities.of(session, actor).linked
    return Ways(
        bool(session.scalar(has_password)),
        second_factor.is_on(session, actor.id),
        linked.label if linked and linked.name else None,
    )


def prove(session: Session, actor: Actor) -> None:
    """Whoever acts has just shown again who they are: what matters may be done for a while."""
    session.execute(
        update(SignedIn)
        .where(SignedIn.token_hash == bytes.fromhex(actor.session_key))
        .values(authenticated_at=clock.now())
    )


def prove_by_code(session: Session, actor: Actor, code: str) -> None:
    """Call `second_factor.count_try` before, in a transaction of its own."""
    second_factor.check(session, actor.id, code)
    prove(session, actor)


def ensure_proved(_session: Session, actor: Actor) -> None:
    """For a page that leads to what matters: asked at its door. Raises ProveAgain."""
    policies.ensure_fresh(actor)
