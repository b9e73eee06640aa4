"""What an admin sees of the mail, and what stays between LUMA and the one it wrote to."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from luma.errors import NotAllowed, NotFound, RuleBroken
from luma.models.audit import AuditEntry
from luma.models.letter import Letter
from luma.services import clock, letters
from luma.services.letters import SingleUse
from luma.services.policies import Actor
from luma.services.post import delivery, mailbox, seals
from luma.values import LetterStatus, Role
from tests.bad_values import BAD_TEXT
from tests.factories import actor, make_instructor, make_user


def admin(session: Session) -> Actor:
    return actor(make_user(session, "Ada Kim", roles=(Role.ADMIN,)))


def written(
    session: Session, subject: str = "Hello", single_use: SingleUse | None = None
) -> Letter:
    user = make_user(session)
    letters.write(
        session,
        user.id,
        "hello",
        subject=subject,
        text="Text",
        button=("Go", "/x/{token}"),
        single_use=single_use,
    )
    return session.scalars(select(Letter).where(Letter.user_id == user.id)).one()


def test_the_newest_letters_come_first_in_pages(session: Session) -> None:
    keys = [written(session, f"Letter {number}").key for number in range(mailbox.PAGE + 2)]

    first = mailbox.letters(session, admin(session))
    second = mailbox.letters(session, admin(session), before=first.older)

    shown = [entry.key for entry in (*first.entries, *second.entries)]
    assert shown == keys[::-1]
    assert second.older is None


def test_letters_are_found_by_their_state(session: Session) -> None:
    refused, _waiting = written(session), written(session)
    refused.refuse("550: no", clock.now())
    session.flush()

    found = mailbox.letters(session, admin(session), LetterStatus.REFUSED)

    assert [entry.trouble for entry in found.entries] == ["550: no"]
    assert (found.counts[LetterStatus.WAITING], mailbox.troubled(session, admin(session))) == (1, 1)


def test_an_admin_never_sees_a_single_use_link(session: Session) -> None:
    seed = seals.new_seed()
    letter = written(session, single_use=SingleUse(seed, timedelta(hours=1)))

    shown = mailbox.letter(session, admin(session), letter.key)

    assert "/x/…" in shown.text
    assert seals.token(seed) not in repr(shown)


def test_a_letter_that_failed_is_sent_again_and_that_is_noted(session: Session) -> None:
    letter = written(session)
    letter.refuse("550: no", clock.now())
    session.execute(text("DELETE FROM procrastinate_jobs"))
    ada = admin(session)

    for _ in range(2):
        mailbox.send_again(session, ada, letter.key)

    assert letter.status is LetterStatus.WAITING
    assert session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) == 1
    assert session.scalars(select(AuditEntry.thing)).all() == [f"letter {letter.id}"] * 2


def test_a_letter_that_went_is_not_sent_again(session: Session) -> None:
    letter = written(session)
    delivery.send(letter.id)

    with pytest.raises(RuleBroken, match="sent already"):
        mailbox.send_again(session, admin(session), letter.key)


@pytest.mark.parametrize("key", BAD_TEXT)
def test_what_is_no_key_is_no_letter(session: Session, key: str) -> None:
    with pytest.raises(NotFound):
        mailbox.letter(session, admin(session), key)


def test_only_admins_see_the_mail(session: Session) -> None:
    letter = written(session)
    ines = actor(make_instructor(session))

    with pytest.raises(NotAllowed):
        mailbox.letters(session, ines)
    with pytest.raises(NotAllowed):
        mailbox.letter(session, ines, letter.key)
    with pytest.raises(NotAllowed):
        mailbox.send_again(session, ines, letter.key)
    with pytest.raises(NotAllowed):
        mailbox.troubled(session, ines)
