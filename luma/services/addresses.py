"""E-mail addresses of accounts: confirmed by a link, changed when the old and the new agree."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from luma.errors import NotFound, RuleBroken
from luma.models.account_token import AccountToken, TokenPurpose
from luma.models.user import AttemptKind, User
from luma.services import accounts, attempts, audit, clock, letters, policies, tokens, verification
from luma.services.policies import Actor

GOOD_FOR = timedelta(hours=24)
BOTH = (TokenPurpose.OLD_ADDRESS, TokenPurpose.NEW_ADDRESS)
CONFIRMED = "Your e-mail address is confirmed already."


@dataclass(frozen=True, slots=True)
class Standing:
    """`pending` is the address that is to take the place of `email`, if one was asked for."""

    email: str
    is_verified: bool
    pending: str | None


class Change(StrEnum):
    DONE = "done"
    ONE_LEFT = "one_left"
    """The other address has not confirmed yet."""


def standing(session: Session, actor: Actor) -> Standing:
    pending = session.scalar(
        select(AccountToken.email).where(
            AccountToken.user_id == actor.id,
            AccountToken.purpose == TokenPurpose.NEW_ADDRESS,
            AccountToken.expires_at > clock.now(),
        )
    )
    return Standing(actor.email, verification.is_verified(session, actor.id), pending)


def ask_to_verify(session: Session, actor: Actor) -> None:
    """Write again to somebody who has not confirmed. Raises RuleBroken, TooMany."""
    if verification.is_verified(session, actor.id):
        raise RuleBroken(CONFIRMED)
    attempts.count(session, AttemptKind.VERIFY, str(actor.id))
    verification.write(session, actor.id, actor.email)


def verify_again(session: Session, actor: Actor, user_id: int) -> None:
    """The same for an admin, in another's name. Raises NotFound, RuleBroken, TooMany."""
    policies.ensure_admin(actor)
    user = session.get(User, user_id)
    if user is None or user.disabled_at is not None:
        raise NotFound("There is no such account that could get mail.")
    if user.email_verified_at is not None:
        raise RuleBroken("This e-mail address is confirmed already.")
    attempts.count(session, AttemptKind.VERIFY, str(user_id))
    audit.note(session, actor, "user.verify_again", f"user {user_id}")
    verification.write(session, user_id, user.email)


def opens(session: Session, token: str, *, is_change: bool) -> bool:
    """Whether a link would confirm something now."""
    return tokens.is_live(session, token, *(BOTH if is_change else (TokenPurpose.VERIFY,)))


def confirm(session: Session, token: str) -> None:
    """The address is theirs. Pressed twice is as good as once. Raises NotFound."""
    user_id = tokens.owner(session, token, TokenPurpose.VERIFY)
    if verification.is_verified(session, user_id):
        return
    tokens.used(session, token, TokenPurpose.VERIFY)
    session.execute(update(User).where(User.id == user_id).values(email_verified_at=clock.now()))


def ask_to_change(session: Session, actor: Actor, new_email: str) -> None:
    """Write to the new address, and to the old one if it is known to be theirs.

    Says nothing about whether the new one has an account here; its owner hears of it. Raises
    ProveAgain, RuleBroken, TooMany.
    """
    policies.ensure_fresh(actor)
    email = accounts.email_address(new_email)
    if email == actor.email:
        raise RuleBroken("That is your e-mail address already.")
    attempts.count(session, AttemptKind.NEW_EMAIL, str(actor.id))
    tokens.forget(session, actor.id, *BOTH)
    if verification.is_verified(session, actor.id):
        _write_to_old(session, actor, email)
    _write_to_new(session, actor, email)


def forget_change(session: Session, actor: Actor) -> None:
    """The address stays as it is. Twice changes nothing."""
    tokens.forget(session, actor.id, *BOTH)


def confirm_change(session: Session, token: str) -> Change:
    """One of the two agrees; with the second the address changes. Raises NotFound, RuleBroken."""
    user_id = tokens.owner(session, token, *BOTH)
    wanted = select(AccountToken).where(
        AccountToken.user_id == user_id, AccountToken.purpose.in_(BOTH)
    )
    both = session.scalars(wanted.order_by(AccountToken.id).with_for_update()).all()
    email = tokens.used(session, token, *BOTH).email
    if any(one.used_at is None for one in both):
        return Change.ONE_LEFT
    _change(session, user_id, email)
    return Change.DONE


def _write_to_old(session: Session, actor: Actor, email: str) -> None:
    link = tokens.issue(session, actor.id, TokenPurpose.OLD_ADDRESS, email, GOOD_FOR)
    letters.write(
        session,
        actor.id,
        "address-old",
        subject="Do you want to change your e-mail address?",
        text=f"Somebody who is signed in to your account asked to change its e-mail address to\n"
        f"{email}\n\nIt changes once this address and the new one have agreed. The link works "
        "once, for 24 hours.\n\nIf it was not you, do not press the button, and change your "
        "password now.",
        button=("Agree to the change", f"/confirm-address/{tokens.PLACE}"),
        single_use=link,
    )


def _write_to_new(session: Session, actor: Actor, email: str) -> None:
    """Whoever has an account with this address is told that, and gets no link."""
    link = tokens.issue(session, actor.id, TokenPurpose.NEW_ADDRESS, email, GOOD_FOR)
    owner_id = session.scalar(select(User.id).where(User.email == email))
    if owner_id is None:
        letters.write(
            session,
            actor.id,
            "address-new",
            to=email,
            subject="Confirm your new e-mail address",
            text="Somebody wants to use this address for an account at LUMA. If it is you, "
            "confirm it. The link works once, for 24 hours.\n\nIf it is not, do nothing.",
            button=("Confirm this address", f"/confirm-address/{tokens.PLACE}"),
            single_use=link,
        )
    else:
        letters.write(
            session,
            owner_id,
            "address-taken",
            subject="You have an account with this address already",
            text="Somebody wants to use your address for another account at LUMA. An address has "
            "one account, so nothing happens.\n\nIf it was you: sign in with this address, or "
            "delete the account you do not need.",
            button=("Sign in", "/sign-in"),
        )


def _change(session: Session, user_id: int, email: str) -> None:
    """Links that were sent to the old address open nothing any more."""
    old = session.scalars(select(User.email).where(User.id == user_id)).one()
    _write_down(session, user_id, email)
    tokens.forget(session, user_id)
    said = f"Your account at LUMA has a new e-mail address:\n{email}\n\nYou sign in with it now."
    for to, more in ((email, ""), (old, "\n\nIf you did not agree to this, write to the school.")):
        letters.write(
            session,
            user_id,
            "address-changed",
            to=to,
            subject="Your e-mail address is changed",
            text=said + more,
        )


def _write_down(session: Session, user_id: int, email: str) -> None:
    taken = RuleBroken("This e-mail address has an account of its own by now.")
    if session.scalar(select(exists().where(User.email == email, User.id != user_id))):
        raise taken
    try:
        with session.begin_nested():
            session.execute(
                update(User)
                .where(User.id == user_id)
                .values(email=email, email_verified_at=clock.now())
            )
    except IntegrityError as error:
        raise taken from error
