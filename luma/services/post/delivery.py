"""Send a letter, however often it takes: the job `letters.send`."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from luma import db
from luma.errors import ServiceDown
from luma.models.letter import Letter
from luma.services import clock
from luma.services.gateways import mail
from luma.services.gateways.mail import Mail
from luma.services.post import paper
from luma.values import LetterStatus

CLAIM = timedelta(seconds=90)
"""Longer than the gateway's deadline: after it whoever sent is dead, and the letter is free."""

KEPT_FOR = timedelta(days=90)


class InOtherHands(ServiceDown):
    """Somebody is sending this letter now. Raised so that the job looks again later."""


def send(letter_id: int) -> None:
    """Send a letter that waits. Waits for the network; raises MailDown to be tried again.

    Twice is harmless: a letter that has gone is left alone, and one that went although nobody
    could note it goes again as the same mail.
    """
    with db.unit_of_work() as session:
        found = _claimed(session, letter_id)
    if found is None:
        return
    try:
        mail.send(found)
    except mail.MailRefused as refusal:
        _note(letter_id, partial(Letter.refuse, reason=str(refusal), now=clock.now()))
    except mail.MailDown as trouble:
        failed = partial(Letter.fail, reason=str(trouble), now=clock.now())
        if _note(letter_id, failed) is LetterStatus.WAITING:
            raise
    else:
        _note(letter_id, partial(Letter.send, now=clock.now()))


def _claimed(session: Session, letter_id: int) -> Mail | None:
    """The letter as a mail, ours for a while. None if it has nothing to wait for any more."""
    now = clock.now()
    letter = session.get(Letter, letter_id, with_for_update=True)
    if letter is None or letter.status is not LetterStatus.WAITING:
        return None
    if letter.good_until is not None and letter.good_until <= now:
        letter.expire(now)
        return None
    if letter.sending_until is not None and letter.sending_until > now:
        raise InOtherHands("This letter is being sent.")
    letter.sending_until = now + CLAIM
    sheet = paper.on_paper(letter, with_token=True)
    return Mail(
        letter.key, letter.address, letter.subject, sheet.text, sheet.html, letter.created_at
    )


def _note(letter_id: int, outcome: Callable[[Letter], None]) -> LetterStatus | None:
    """How the letter stands after this. One that has gone by another way stays as it is."""
    with db.unit_of_work() as session:
        letter = session.get(Letter, letter_id, with_for_update=True)
        if letter is None:
            return None
        if letter.status is LetterStatus.WAITING:
            outcome(letter)
        return letter.status


def forget_old(session: Session) -> None:
    """Housekeeping: after three months nobody asks what a letter said.

    Files go that have no letter any more, also those of people who have left.
    """
    old = (Letter.settled_at < clock.now() - KEPT_FOR, Letter.status != LetterStatus.WAITING)
    session.execute(delete(Letter).where(*old))
    files = mail.kept()
    known = set(session.scalars(select(Letter.key).where(Letter.key.in_(files))))
    for key in files:
        if key not in known:
            mail.forget(key)
