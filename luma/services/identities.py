"""Whom a provider vouches for: one identity to an account, found by one look-up."""

import hashlib
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from luma.errors import NotFound, RuleBroken
from luma.models.user import User
from luma.services import accounts, clock, letters, policies
from luma.services.gateways.oidc import Claims
from luma.services.policies import Actor
from luma.settings import Provider, settings

LONGEST_ID = 255
ELSEWHERE = "This {} account belongs to another account of this school."
ALREADY = "Your account is linked already. Unlink that first."


@dataclass(frozen=True, slots=True)
class Identity:
    """A person as a provider knows them, made fit for our tables."""

    external_id: str
    email: str
    name: str
    """Empty when the provider told none that we could use."""
    signed_in_at: int | None = None
    """When they last showed the provider who they are, in seconds, if it tells."""


@dataclass(frozen=True, slots=True)
class Linked:
    """`name` is null for a provider that is not set up any more."""

    name: str | None
    label: str


@dataclass(frozen=True, slots=True)
class Offered:
    name: str
    label: str


@dataclass(frozen=True, slots=True)
class Identities:
    """What the account page shows."""

    linked: Linked | None
    offered: tuple[Offered, ...]
    may_unlink: bool
    """Only who has a password gets in without the provider."""


def provider_named(name: str) -> Provider:
    """Raises NotFound."""
    found = settings().oidc.get(name)
    if found is None:
        raise NotFound("There is no such way to sign in here.")
    return found


def external_id(issuer: str, subject: str) -> str:
    """The pair as one text. An issuer has no space in it, so no two pairs make the same."""
    pair = f"{issuer} {subject}"
    if len(pair) <= LONGEST_ID:
        return pair
    return f"sha256 {hashlib.sha256(pair.encode()).hexdigest()}"


def identity(provider: Provider, claims: Claims) -> Identity:
    """Raises RuleBroken unless the provider has confirmed an address that we can use."""
    label = provider.shown_as
    if not claims.email:
        raise RuleBroken(
            f"{label} did not tell your e-mail address, and an account needs one. "
            "Allow it there, or sign up with a password."
        )
    if not claims.is_confirmed:
        raise RuleBroken(
            f"{label} has not confirmed your e-mail address. Confirm it there, then come back."
        )
    key = external_id(provider.issuer, claims.subject)
    email = _address(claims.email, label)
    return Identity(key, email, _name(claims.name), claims.signed_in_at)


def owner(session: Session, identity: Identity) -> User | None:
    """Whose account it is. Holds the identity until the transaction ends."""
    hold(session, identity.external_id)
    return session.scalar(select(User).where(User.external_id == identity.external_id))


def hold(session: Session, key: str) -> None:
    """Whoever gives this identity to an account waits for whoever is doing so already."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))


def link(session: Session, user_id: int, key: str, label: str) -> bool:
    """Raises RuleBroken when the account has an identity, or the identity an account.

    The caller holds the identity. False when it was linked already: then nothing changes.
    """
    owner_id = session.scalar(select(User.id).where(User.external_id == key))
    if owner_id == user_id:
        return False
    if owner_id is not None:
        raise RuleBroken(ELSEWHERE.format(label))
    given = update(User).where(User.id == user_id, User.external_id.is_(None))
    if session.scalar(given.values(external_id=key).returning(User.id)) is None:
        raise RuleBroken(ALREADY)
    letters.write(
        session,
        user_id,
        "identity-linked",
        subject=f"{label} is linked to your account",
        text=f"You can sign in with {label} from now on.\n\n"
        "If that was not you, unlink it in your account and change your password.",
        button=("Open your account", "/account"),
    )
    return True


def confirm(session: Session, user_id: int, email: str) -> None:
    """A provider has confirmed this address: if it is the account's, it is confirmed here too."""
    unconfirmed = (User.id == user_id, User.email == email, User.email_verified_at.is_(None))
    session.execute(update(User).where(*unconfirmed).values(email_verified_at=clock.now()))


def of(session: Session, actor: Actor) -> Identities:
    """The actor's own."""
    key, has_password = session.execute(
        select(User.external_id, User.password_hash.is_not(None)).where(User.id == actor.id)
    ).one()
    offered = tuple(Offered(one.name, one.shown_as) for one in settings().providers())
    linked = _linked(key) if key else None
    return Identities(linked, () if linked else offered, has_password)


def unlink(session: Session, actor: Actor) -> None:
    """Twice changes nothing. Raises RuleBroken for an account that has no password."""
    policies.ensure_fresh(actor)
    linked = of(session, actor).linked
    freed = update(User).where(User.id == actor.id, User.password_hash.is_not(None))
    if session.scalar(freed.values(external_id=None).returning(User.id)) is None:
        raise RuleBroken("Set a password first. Without one you could not sign in any more.")
    if linked is not None:
        letters.write(
            session,
            actor.id,
            "identity-unlinked",
            subject=f"{linked.label} is not linked to your account any more",
            text="From now on you sign in with your password.\n\n"
            "If that was not you, change your password.",
            button=("Open your account", "/account"),
        )


def label(key: str) -> str:
    """The provider's name, from an external id. One that is not set up any more: its host."""
    return _linked(key).label


def _linked(key: str) -> Linked:
    issuer = key.partition(" ")[0]
    for one in settings().providers():
        if one.issuer == issuer:
            return Linked(one.name, one.shown_as)
    return Linked(None, urlsplit(issuer).hostname or "Another service")


def _address(told: str, label: str) -> str:
    try:
        return accounts.email_address(told)
    except RuleBroken as error:
        raise RuleBroken(
            f"{label} told an e-mail address that cannot be used here. Sign up with a password."
        ) from error


def _name(told: str) -> str:
    """Kept only if it can be a name here: people are asked for theirs anyway."""
    try:
        return accounts.person_name(told[:80])
    except RuleBroken:
        return ""
