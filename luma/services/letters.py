"""What LUMA writes to people, in the transaction that causes it; a job of its own sends it."""

import re
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from luma.models.course import Course
from luma.models.letter import Letter
from luma.models.progress import Enrolment
from luma.models.user import User
from luma.services import clock, queue
from luma.services.money import orders
from luma.values import LetterStatus

LONGEST_SUBJECT = 150
LONGEST_TEXT = 10_000


@dataclass(frozen=True, slots=True)
class SingleUse:
    """A letter whose link works once. Its path has a "{token}", made of `seed` when it is sent."""

    seed: bytes
    good_for: timedelta


def write(  # noqa: PLR0913  (a letter has these parts, and each is named where it is written)
    session: Session,
    user_id: int,
    kind: str,
    /,
    *,
    subject: str,
    text: str,
    button: tuple[str, str] | None = None,
    once: str | None = None,
    to: str | None = None,
    single_use: SingleUse | None = None,
) -> None:
    """Write to a user; with this transaction the letter goes, and without it there is none.

    `text` is plain, paragraphs parted by an empty line; one that starts with "> " is a quotation.
    `button` is its words and a path on this site. What was written with the same `once` before
    is not written again. `to` is for an address that is
    not the user's own; there, and at one that nobody has confirmed, they are not named: strangers
    would read what somebody else chose to be called. Nothing is written to disabled users.
    """
    addressee = _addressee(session, user_id, to, single_use)
    if addressee is None:
        return
    subject = f"{addressee.pop('mark')}{subject}"
    words, path = button or ("", "")
    new = insert(Letter).values(
        **addressee,
        key=_key(once, kind),
        kind=kind,
        subject=one_line(subject, LONGEST_SUBJECT),
        text=_storable(text)[:LONGEST_TEXT],
        button_words=one_line(words, 80),
        button_path=path,
        seed=single_use.seed if single_use else None,
        good_until=clock.now() + single_use.good_for if single_use else None,
    )
    letter_id = session.scalar(new.on_conflict_do_nothing().returning(Letter.id))
    if letter_id is not None:
        queue.defer(session, "letters.send", lane="mail", letter_id=letter_id)


def _addressee(
    session: Session, user_id: int, to: str | None, single_use: SingleUse | None
) -> dict[str, object] | None:
    """The part of a new letter that does not depend on what it says.

    What a rehearsal's buyer would get goes to its instructor; a link that works once, to nobody.
    """
    rehearsed_by = aliased(User)
    user = session.execute(
        select(User.name, User.email, User.email_verified_at, rehearsed_by.email.label("by"))
        .outerjoin(rehearsed_by, rehearsed_by.id == User.rehearses_for_id)
        .where(User.id == user_id, User.disabled_at.is_(None))
    ).one_or_none()
    if user is None or (user.by and single_use):
        return None
    is_theirs = user.email_verified_at is not None and to is None
    now = clock.now()
    return {
        "user_id": user_id,
        "mark": "[Rehearsal] " if user.by else "",
        "address": user.by or to or user.email,
        "greeting": f"Hello {one_line(user.name, 80)}," if is_theirs else "Hello,",
        "status": LetterStatus.WAITING,
        "attempts": 0,
        "trouble": "",
        "created_at": now,
        "waiting_since": now,
    }


def course_open(session: Session, enrolment_id: int, *, once: str | None = None) -> None:
    """Tell a buyer that the course is open. Silent when the access has ended already."""
    found = session.execute(
        select(Enrolment.student_id, Course)
        .join(Course, Course.id == Enrolment.course_id)
        .where(Enrolment.id == enrolment_id, Enrolment.active)
    ).one_or_none()
    if found is None:
        return
    student_id, course = found
    write(
        session,
        student_id,
        "course-open",
        subject=f"{course.title} is open",
        text=f"Thank you for your purchase. “{course.title}” is yours now.\n\n"
        "You find all that you bought under “Orders” in your account.",
        button=("Start learning", orders.start_address(session, course)),
        once=once,
    )


def access_given(session: Session, student_id: int, course_id: int, *, once: str) -> None:
    """Tell somebody that a course was opened for them by hand."""
    course = session.get_one(Course, course_id)
    write(
        session,
        student_id,
        "access-given",
        subject=f"{course.title} is open for you",
        text=f"The school has opened “{course.title}” for you. There is nothing to pay.",
        button=("Start learning", orders.start_address(session, course)),
        once=once,
    )


def one_line(words: str, longest: int) -> str:
    """Words for a header or a button: no line ends, no control characters, cut where too long."""
    plain = "".join(sign if sign.isprintable() else " " for sign in _storable(words))
    line = " ".join(plain.split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def _key(once: str | None, kind: str) -> str:
    """It is part of a Message-ID and of a file's name."""
    wanted = once or f"{kind}-{secrets.token_hex(8)}"
    return re.sub(r"[^a-zA-Z0-9-]", "-", wanted)[:120]


def _storable(words: str) -> str:
    return words.replace("\0", "").encode("utf-8", "ignore").decode()
