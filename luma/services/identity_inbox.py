"""What Clerk tells about its users: received once, applied in any order."""

import logging

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma import db
from luma.errors import RuleBroken
from luma.models.identity import IdentityEvent
from luma.models.user import User
from luma.services import accounts, audit, clock, identities, letters, queue, reception
from luma.services.gateways import clerk
from luma.services.gateways.clerk import ClerkEvent
from luma.settings import settings
from luma.values import EventStatus

log = logging.getLogger(__name__)

TASK = "identity_inbox.apply"
NOBODY = "nobody here has this identity"
OLDER = "a newer one came before it"


def receive(session: Session, event: ClerkEvent) -> None:
    """Keep an event as it came and queue what applies it. A second delivery changes nothing."""
    now = clock.now()
    is_acted_on = event.type in clerk.ACTED_ON
    new = insert(IdentityEvent).values(
        event_id=event.event_id,
        type=event.type,
        subject=event.subject,
        happened_at=event.happened_at,
        raw=event.raw,
        status=EventStatus.NEW if is_acted_on else EventStatus.DONE,
        next_at=now,
        received_at=now,
        done_at=None if is_acted_on else now,
    )
    kept = session.scalar(new.on_conflict_do_nothing().returning(IdentityEvent.id))
    if kept is not None and is_acted_on:
        queue.defer(session, TASK, row_ids=[kept])


def apply(row_ids: list[int]) -> None:
    """Apply events, each in a transaction of its own; what cannot be applied is parked."""
    reception.apply_each(IdentityEvent, row_ids, TASK, _apply)


def sweep(session: Session) -> None:
    """Queue again what waits although its time has come."""
    reception.queue_again(session, IdentityEvent, TASK, clock.now() - reception.LATE)


def resume(session: Session) -> None:
    """The same for a worker that starts."""
    reception.queue_again(session, IdentityEvent, TASK, clock.now())


def _apply(row_id: int) -> None:
    with db.unit_of_work() as session:
        if row := reception.taken_up(session, IdentityEvent, row_id):
            row.finish(clock.now(), _applied(session, row))


def _applied(session: Session, row: IdentityEvent) -> str | None:
    """None, or why nothing came of it. The user is held, so events about one come in a row."""
    provider = settings().oidc[settings().clerk_provider]
    key = identities.external_id(provider.issuer, row.subject or "")
    user = session.scalar(select(User).where(User.external_id == key).with_for_update())
    if user is None or user.disabled_at is not None:
        return NOBODY
    if row.type == clerk.DELETED:
        _leave(session, user)
        return None
    if _is_older(session, row):
        return OLDER
    return _follow(session, user, row.raw, provider.shown_as)


def _leave(session: Session, user: User) -> None:
    """Gone there: a password still opens the account here; without one it is closed."""
    accounts.end_sessions(session, user.id)
    if user.password_hash is not None:
        user.external_id = None
        audit.note(session, None, "user.unlink", f"user {user.id}", after={"by": "Clerk"})
    else:
        user.disabled_at = clock.now()
        audit.note(session, None, "user.disable", f"user {user.id}", after={"by": "Clerk"})


def _is_older(session: Session, row: IdentityEvent) -> bool:
    newer = exists().where(
        IdentityEvent.subject == row.subject,
        IdentityEvent.type == row.type,
        IdentityEvent.status == EventStatus.DONE,
        IdentityEvent.happened_at > row.happened_at,
    )
    return bool(session.scalar(select(newer)))


def _follow(session: Session, user: User, raw: bytes, label: str) -> str | None:
    """Name and address as they are there now, where they can be that here."""
    told = clerk.user(raw)
    try:
        user.name = accounts.person_name(told.name[:80])
    except RuleBroken:
        log.info("a name cannot be one here", extra={"user": user.id})
    if told.email is None:
        return "the address is not confirmed there"
    try:
        email = accounts.email_address(told.email)
    except RuleBroken:
        return "the address cannot be used here"
    if email != user.email:
        return _move(session, user, email, label)
    identities.confirm(session, user.id, email)
    return None


def _move(session: Session, user: User, email: str, label: str) -> str | None:
    """The notice goes to the old address: whoever reads it there may not know."""
    if session.scalar(select(exists().where(User.email == email))):
        return "the address belongs to another account here"
    letters.write(
        session,
        user.id,
        "address-followed",
        subject="Your e-mail address has changed",
        text=f"You changed your e-mail address at {label}, and your account here has followed: "
        f"from now on we write to {email}.\n\n"
        "If that was not you, secure your account there first, and then write to us.",
    )
    user.email, user.email_verified_at = email, clock.now()
    return None
