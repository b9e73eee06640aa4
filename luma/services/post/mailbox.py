"""What an admin sees of the mail: which letters wait, went or failed, and what they say."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from luma.errors import NotFound
from luma.models.letter import Letter
from luma.services import audit, clock, policies, queue
from luma.services.gateways import mail
from luma.services.policies import Actor
from luma.services.post import paper
from luma.settings import settings
from luma.values import LetterStatus

PAGE = 50
TROUBLED = (LetterStatus.REFUSED, LetterStatus.GIVEN_UP)


@dataclass(frozen=True, slots=True)
class Entry:
    """A letter in the list. `trouble` is what the mail server said last."""

    id: int
    key: str
    address: str
    subject: str
    status: LetterStatus
    attempts: int
    trouble: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Mailbox:
    """`older` is where the next page begins. `server` is null while letters become files."""

    entries: list[Entry]
    counts: Mapping[LetterStatus, int]
    older: int | None
    server: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """A letter as it looks, its single-use link left out: that is for one person alone."""

    entry: Entry
    text: str
    html: str
    may_be_sent: bool
    file: str | None


def letters(
    session: Session, actor: Actor, only: LetterStatus | None = None, before: int | None = None
) -> Mailbox:
    """The newest first. Raises NotAllowed unless the actor is an admin."""
    policies.ensure_admin(actor)
    wanted = select(Letter).order_by(Letter.id.desc()).limit(PAGE + 1)
    if only is not None:
        wanted = wanted.where(Letter.status == only)
    if before is not None:
        wanted = wanted.where(Letter.id < before)
    found = [_entry(letter) for letter in session.scalars(wanted)]
    return Mailbox(
        entries=found[:PAGE],
        counts=_counts(session),
        older=found[PAGE - 1].id if len(found) > PAGE else None,
        server=mail.server_name(),
    )


def letter(session: Session, actor: Actor, key: str) -> Reading:
    policies.ensure_admin(actor)
    found = _letter(session, key)
    sheet = paper.on_paper(found, with_token=False)
    return Reading(
        entry=_entry(found),
        text=sheet.text,
        html=sheet.html,
        may_be_sent=found.status is not LetterStatus.SENT and not _ran_out(found),
        file=f"{mail.FOLDER}/{found.key}.eml" if settings().smtp_url is None else None,
    )


def send_again(session: Session, actor: Actor, key: str) -> None:
    """Put a letter that waits or failed in the queue now. Raises RuleBroken when it went."""
    policies.ensure_admin(actor)
    found = _letter(session, key, lock=True)
    before = {"status": found.status}
    found.try_again(clock.now())
    audit.note(session, actor, "mail.send_again", f"letter {found.id}", before)
    once = f"letters.send:{found.id}"
    queue.defer(session, "letters.send", lane="mail", once=once, letter_id=found.id)


def troubled(session: Session, actor: Actor) -> int:
    """How many letters nobody will get unless somebody does something."""
    policies.ensure_admin(actor)
    counts = _counts(session)
    return sum(counts[status] for status in TROUBLED)


def _letter(session: Session, key: str, *, lock: bool = False) -> Letter:
    """Raises NotFound, also for what cannot be a key."""
    wanted = select(Letter).where(Letter.key == key_in(key))
    found = session.scalar(wanted.with_for_update() if lock else wanted)
    if found is None:
        raise NotFound("There is no such letter. Letters are kept for three months.")
    return found


def key_in(address: str) -> str:
    """A letter's key out of an address. What cannot be one becomes "", which no letter has."""
    return address if re.fullmatch(r"[a-zA-Z0-9-]{1,120}", address) else ""


def _ran_out(letter: Letter) -> bool:
    return letter.good_until is not None and letter.good_until <= clock.now()


def _counts(session: Session) -> dict[LetterStatus, int]:
    rows = session.execute(select(Letter.status, func.count()).group_by(Letter.status))
    found = {status: int(number) for status, number in rows}
    return {status: found.get(status, 0) for status in LetterStatus}


def _entry(letter: Letter) -> Entry:
    return Entry(
        letter.id,
        letter.key,
        letter.address,
        letter.subject,
        letter.status,
        letter.attempts,
        letter.trouble,
        letter.created_at,
    )
