"""The way to an identity provider and back, and what somebody who is new does then."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma.errors import NotAllowed, RuleBroken
from luma.models.identity import OVER, IdentityVisit
from luma.models.user import AttemptKind, User, UserRole
from luma.services import accounts, attempts, clock, identities, policies, proofs, texts
from luma.services.accounts import Admitted, Known, Visit
from luma.services.gateways.oidc import Secrets
from luma.services.identities import Identity
from luma.services.policies import Actor
from luma.values import Role

LASTS = timedelta(minutes=10)
THINKS = timedelta(minutes=30)
"""For choosing a role or finding a password."""

CLOSED = "This account is closed. Ask whoever runs this school."
NOT_AGAIN = "You were signed in there long ago. Sign out there, then show again who you are."
NOT_YOURS = "Somebody else is signed in here now. Start again from your account."
TAKEN = (
    "This e-mail address has an account already, and it is linked to {}. "
    "Sign in there, or with your password."
)


@dataclass(frozen=True, slots=True)
class Return:
    """A visit that has come back, once."""

    visit: str
    secrets: Secrets
    onward: str
    links: bool


@dataclass(frozen=True, slots=True)
class Arrival:
    """Signed in, or new: then `first` names the visit that waits for an answer. Or somebody who
    was signed in all the time, and has linked the identity or shown it once more.
    """

    onward: str
    admitted: Admitted | None = None
    first: str | None = None
    is_linked: bool = False


@dataclass(frozen=True, slots=True)
class FirstTime:
    """Somebody new, before there is an account."""

    label: str
    provider: str
    name: str
    email: str
    onward: str
    has_account: bool
    """The address has one with a password, which must be given before the two are linked."""


def begin(session: Session, provider: str, browser: str, onward: str, address: str) -> Secrets:
    """Note that this browser leaves. Raises TooMany."""
    attempts.count(session, AttemptKind.IDENTITY, address)
    return _leave(session, provider, browser, onward, None)


def begin_linking(
    session: Session, actor: Actor, provider: str, browser: str, address: str
) -> Secrets:
    """The same, to link the identity to the actor's account. Raises ProveAgain, RuleBroken."""
    policies.ensure_fresh(actor)
    attempts.count(session, AttemptKind.IDENTITY, address)
    if identities.of(session, actor).linked:
        raise RuleBroken(identities.ALREADY)
    return _leave(session, provider, browser, "/account", actor.id)


def begin_again(
    session: Session, actor: Actor, browser: str, onward: str, address: str
) -> tuple[str, Secrets]:
    """To show once more who one is, by the identity that the account has: its provider's name."""
    attempts.count(session, AttemptKind.IDENTITY, address)
    linked = identities.of(session, actor).linked
    if linked is None or linked.name is None:
        raise RuleBroken("Your account is not linked. Use your password.")
    return linked.name, _leave(session, linked.name, browser, onward, actor.id)


def take_back(session: Session, provider: str, state: str, browser: str) -> Return:
    """Whether this browser left for this provider with this `state`, and comes back for the first
    time. Raises RuleBroken.
    """
    row = session.scalar(
        select(IdentityVisit)
        .where(
            IdentityVisit.state_hash == _hash(state),
            IdentityVisit.browser_hash == _hash(browser),
            IdentityVisit.provider == provider,
        )
        .with_for_update()
    )
    if row is None:
        raise RuleBroken(OVER)
    row.come_back(clock.now())
    kept = Secrets(state, row.nonce, row.verifier)
    return Return(row.public_id, kept, row.onward, row.user_id is not None)


def arrive(
    session: Session, key: str | None, visit_id: str, identity: Identity, visit: Visit
) -> Arrival:
    """What follows from who came back. `key` is the session of the browser, if it has one."""
    row = _row(session, visit_id)
    if row.external_id is not None:
        raise RuleBroken(OVER)
    if row.user_id is not None:
        return _linked(session, key, row, identity)
    user = identities.owner(session, identity)
    if user is None:
        until = clock.now() + THINKS
        row.remember(identity.external_id, identity.email, identity.name, until)
        return Arrival(row.onward, first=row.public_id)
    if user.disabled_at is not None:
        raise NotAllowed(CLOSED)
    onward = row.onward
    session.delete(row)
    return Arrival(onward, admitted=accounts.admit(session, user.id, visit))


def first_time(session: Session, visit_id: str, browser: str) -> FirstTime:
    """Raises RuleBroken when it is too late, or the account has another identity."""
    row = _waiting(session, visit_id, browser)
    user = _with_address(session, row)
    provider = identities.provider_named(row.provider)
    return FirstTime(
        label=provider.shown_as,
        provider=provider.name,
        name=row.name or "",
        email=row.email or "",
        onward=row.onward,
        has_account=user is not None,
    )


def sign_up(
    session: Session, visit_id: str, browser: str, name: str, role: Role, visit: Visit
) -> Arrival:
    """Make the account. Raises RuleBroken for an address that has one: it is linked by password."""
    if role is Role.ADMIN:
        raise NotAllowed("Nobody signs up as an admin.")
    row = _waiting(session, visit_id, browser)
    new = insert(User).values(
        name=accounts.person_name(name),
        email=row.email,
        external_id=row.external_id,
        email_verified_at=clock.now(),
        created_at=clock.now(),
    )
    user_id = session.scalar(new.on_conflict_do_nothing().returning(User.id))
    if user_id is None:
        raise RuleBroken("This e-mail address has an account already. Sign in instead.")
    session.add_all(
        UserRole(user_id=user_id, role=role) for role in dict.fromkeys((Role.STUDENT, role))
    )
    session.flush()
    return _done(session, row, accounts.admit(session, user_id, visit))


def begin_join(session: Session, visit_id: str, browser: str, address: str) -> Known:
    """Whose password to check before the two are linked. Counts as an attempt to sign in."""
    row = _waiting(session, visit_id, browser)
    return accounts.begin_sign_in(session, row.email or "", address)


def join(
    session: Session,
    visit_id: str,
    browser: str,
    user_id: int,
    visit: Visit,
    new_hash: str | None = None,
) -> Arrival:
    """The password was right: the account and the identity belong together from now on."""
    row = _waiting(session, visit_id, browser)
    key, email = row.external_id or "", row.email or ""
    identities.hold(session, key)
    identities.link(session, user_id, key, identities.provider_named(row.provider).shown_as)
    identities.confirm(session, user_id, email)
    return _done(session, row, accounts.finish_sign_in(session, user_id, email, visit, new_hash))


def forget_old(session: Session) -> None:
    session.execute(delete(IdentityVisit).where(IdentityVisit.expires_at < clock.now()))


def _leave(
    session: Session, provider: str, browser: str, onward: str, user_id: int | None
) -> Secrets:
    now = clock.now()
    made = Secrets(*(secrets.token_urlsafe(32) for _ in range(3)))
    session.add(
        IdentityVisit(
            state_hash=_hash(made.state),
            browser_hash=_hash(browser),
            provider=provider,
            nonce=made.nonce,
            verifier=made.verifier,
            onward=onward[:500],
            user_id=user_id,
            created_at=now,
            expires_at=now + LASTS,
        )
    )
    return made


def _linked(session: Session, key: str | None, row: IdentityVisit, identity: Identity) -> Arrival:
    """Only for whoever began it, still signed in here. What was linked is proven once more."""
    viewer = accounts.viewer(session, key)
    if viewer is None or viewer.id != row.user_id:
        raise NotAllowed(NOT_YOURS)
    identities.hold(session, identity.external_id)
    label = identities.provider_named(row.provider).shown_as
    is_new = identities.link(session, viewer.id, identity.external_id, label)
    identities.confirm(session, viewer.id, identity.email)
    if not is_new:
        _prove(session, viewer, identity)
    session.delete(row)
    return Arrival(row.onward, is_linked=is_new)


def _prove(session: Session, viewer: Actor, identity: Identity) -> None:
    """A provider that says since when they are signed in there must have asked them anew."""
    told = identity.signed_in_at
    if told is not None and clock.now().timestamp() - told > policies.FRESH.total_seconds():
        raise NotAllowed(NOT_AGAIN)
    proofs.prove(session, viewer)


def _row(session: Session, visit_id: str) -> IdentityVisit:
    """Held, so that of two answers at once the second finds it gone. Raises RuleBroken."""
    row = session.scalar(
        select(IdentityVisit)
        .where(IdentityVisit.public_id == texts.key(visit_id))
        .with_for_update()
    )
    if row is None or row.expires_at <= clock.now():
        raise RuleBroken(OVER)
    return row


def _waiting(session: Session, visit_id: str, browser: str) -> IdentityVisit:
    """Of somebody who came back, in their own browser. Raises RuleBroken."""
    row = _row(session, visit_id)
    if row.external_id is None or row.browser_hash != _hash(browser):
        raise RuleBroken(OVER)
    return row


def _with_address(session: Session, row: IdentityVisit) -> User | None:
    """The account that has the address. Raises RuleBroken when no password could open it."""
    user = session.scalar(select(User).where(User.email == row.email))
    if user is None:
        return None
    if user.disabled_at is not None:
        raise NotAllowed(CLOSED)
    if user.external_id is not None:
        raise RuleBroken(TAKEN.format(identities.label(user.external_id)))
    return user


def _done(session: Session, row: IdentityVisit, admitted: Admitted) -> Arrival:
    onward = row.onward
    session.delete(row)
    return Arrival(onward, admitted=admitted)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
