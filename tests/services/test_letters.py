"""A letter belongs to what caused it, and is written once."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from luma import db
from luma.models.letter import Letter
from luma.services import clock, letters
from luma.services.gateways import mail
from luma.services.gateways.mail import Mail
from luma.services.money import access
from luma.services.post import delivery, paper
from luma.settings import settings
from luma.values import LetterStatus
from tests.bad_values import BAD_TEXT
from tests.factories import enrol, make_published, make_user
from tests.selling import is_learning, open_sale
from tests.services.money.test_inbox import deliver
from tests.standins.mail import read, words


def all_letters(session: Session) -> list[Letter]:
    return list(session.scalars(select(Letter).order_by(Letter.id)))


def jobs(session: Session) -> list[tuple[str, int]]:
    rows = session.execute(
        text(
            "SELECT queue_name, args FROM procrastinate_jobs"
            " WHERE task_name = 'letters.send' ORDER BY id"
        )
    )
    return [(row.queue_name, row.args["letter_id"]) for row in rows]


def write_and_fail(user_id: int) -> None:
    with db.unit_of_work() as inner:
        letters.write(inner, user_id, "hello", subject="Hello", text="Text")
        raise ZeroDivisionError


def test_a_purchase_writes_each_letter_once_however_often_the_event_comes(
    session: Session,
) -> None:
    sale = open_sale(session)

    deliver(session, sale.event(), sale.event(), sale.event())

    assert is_learning(session, sale)
    written = all_letters(session)
    assert [letter.kind for letter in written] == ["course-open", "receipt", "sale"]
    assert jobs(session) == [("mail", letter.id) for letter in written]


def test_a_free_course_needs_no_letter(session: Session) -> None:
    access.grant_free(session, make_user(session).id, make_published(session).id)

    assert all_letters(session) == []


def test_what_fails_writes_no_letter(session: Session) -> None:
    user = make_user(session)

    with pytest.raises(ZeroDivisionError):
        write_and_fail(user.id)

    assert (all_letters(session), jobs(session)) == ([], [])


def test_what_is_to_be_said_once_is_said_once(session: Session) -> None:
    user = make_user(session)

    for _ in range(2):
        letters.write(session, user.id, "hello", subject="Hello", text="Text", once="hello-1")

    (letter,) = all_letters(session)
    assert letter.key == "hello-1"
    assert len(jobs(session)) == 1


def test_a_disabled_user_gets_no_letter(session: Session) -> None:
    user = make_user(session)
    user.disabled_at = clock.now()
    session.flush()

    letters.write(session, user.id, "hello", subject="Hello", text="Text")

    assert all_letters(session) == []


def test_the_letter_leads_to_the_first_lesson_in_text_and_in_html(session: Session) -> None:
    student, course = make_user(session, "Ånna Ørn"), make_published(session, "Bröd & “Salt”")
    letters.course_open(session, enrol(session, student, course).id)
    (letter,) = all_letters(session)

    delivery.send(letter.id)
    delivery.send(letter.id)

    (sent,) = read(settings().data_path() / "mail")
    assert (sent["To"], sent["Subject"]) == (student.email, "Bröd & “Salt” is open")
    assert sent["Message-ID"] == f"<{letter.key}@127.0.0.1>"
    html = sent.get_body(("html",))
    assert html is not None
    for words_of in (words(sent), str(html.get_content())):
        assert f"http://127.0.0.1:8080/learn/{course.slug}/les_" in words_of
        assert "Hello Ånna Ørn" in words_of
    assert "Bröd &amp; “Salt”" in str(html.get_content())
    session.expire_all()
    assert letter.status is LetterStatus.SENT


def test_no_letter_is_written_once_access_has_ended(session: Session) -> None:
    enrolment = enrol(session, make_user(session), make_published(session))
    enrolment.active = False
    session.flush()

    letters.course_open(session, enrolment.id)

    assert all_letters(session) == []


@pytest.mark.parametrize("bad", BAD_TEXT)
def test_no_words_break_a_letter(session: Session, bad: str) -> None:
    user = make_user(session, "Anna\u2028Bcc: x@example.org")

    letters.write(session, user.id, "hello", subject=bad, text=bad, button=(bad, "/"), once=bad)

    (letter,) = all_letters(session)
    sheet = paper.on_paper(letter, with_token=True)
    sent = mail.composed(
        Mail(letter.key, letter.address, letter.subject, sheet.text, sheet.html, clock.now())
    )
    head, _, _ = sent.as_bytes().partition(b"\r\n\r\n")
    assert b"\r\nBcc:" not in head
    assert sent.get_all("To") == [user.email]
    assert "<script>alert" not in sheet.html
    assert "<img" not in sheet.html


@pytest.mark.parametrize("field", ["to", "subject"])
def test_no_line_end_gets_into_a_header(field: str) -> None:
    parts = {"to": "a@example.org", "subject": "Hello"}
    parts[field] += "\nBcc: all@example.org"

    with pytest.raises(ValueError, match="linefeed"):
        mail.composed(Mail("key", **parts, text="Text", html="", written_at=clock.now()))


def test_a_letter_that_went_is_forgotten_after_three_months(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user(session)
    letters.write(session, user.id, "hello", subject="Old", text="Text", once="old")
    letters.write(session, user.id, "hello", subject="Waits", text="Text", once="waits")
    delivery.send(all_letters(session)[0].id)
    later = clock.now() + delivery.KEPT_FOR * 1.01
    monkeypatch.setattr(clock, "now", lambda: later)

    delivery.forget_old(session)

    assert [letter.key for letter in all_letters(session)] == ["waits"]
    assert read(settings().data_path() / "mail") == []
