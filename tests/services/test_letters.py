"""A buyer hears once that the course is open."""

import socketserver
import threading
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default
from typing import ClassVar

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from luma.models.progress import Enrolment
from luma.services import access, letters
from luma.services.gateways import mail
from luma.services.gateways.protocol import GatewayDown
from luma.settings import settings
from tests.factories import enrol, make_published, make_user
from tests.selling import is_learning, open_sale
from tests.services.test_inbox import deliver


def letters_waiting(session: Session) -> list[int]:
    rows = session.execute(
        text("SELECT args FROM procrastinate_jobs WHERE task_name = 'letters.course_open'")
    )
    return [row.args["enrolment_id"] for row in rows]


def kept() -> list[Message]:
    files = sorted((settings().data_path() / "mail").glob("*.eml"))
    return [message_from_bytes(file.read_bytes(), policy=default) for file in files]


def test_a_purchase_queues_one_letter_however_often_the_event_comes(session: Session) -> None:
    sale = open_sale(session)

    deliver(session, sale.event(), sale.event(), sale.event())

    assert is_learning(session, sale)
    assert letters_waiting(session) == [session.scalars(select(Enrolment.id)).one()]


def test_a_free_course_needs_no_letter(session: Session) -> None:
    access.grant_free(session, make_user(session).id, make_published(session).id)

    assert letters_waiting(session) == []


def test_the_letter_leads_to_the_first_lesson(session: Session) -> None:
    student, course = make_user(session, "Ånna Ørn"), make_published(session, "Bröd")
    enrolment = enrol(session, student, course)

    letters.course_open(enrolment.id)
    letters.course_open(enrolment.id)

    (letter,) = kept()
    assert isinstance(letter, EmailMessage)
    assert (letter["To"], letter["Subject"]) == (student.email, "Bröd is open")
    written = letter.get_content()
    assert f"http://127.0.0.1:8080/learn/{course.slug}/les_" in written
    assert "Hello Ånna Ørn" in written


def test_no_letter_is_written_once_access_has_ended(session: Session) -> None:
    enrolment = enrol(session, make_user(session), make_published(session))
    enrolment.active = False

    letters.course_open(enrolment.id)

    assert not (settings().data_path() / "mail").exists()


@pytest.fixture
def no_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LUMA_SMTP_URL", "smtp://127.0.0.1:1")
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.mark.usefixtures("no_server")
def test_a_mail_server_that_is_away_is_tried_again() -> None:
    with pytest.raises(GatewayDown):
        mail.send("a@example.org", "Hello", "Text", "key")


class Postman(socketserver.StreamRequestHandler):
    """Takes one mail as an SMTP server would, and keeps what it was told."""

    heard: ClassVar[list[bytes]] = []

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            self.heard.append(line)
            if line.lower().startswith(b"data"):
                self.wfile.write(b"354 go on\r\n")
                while (text := self.rfile.readline()) != b".\r\n":
                    self.heard.append(text)
            if line.lower().startswith(b"quit"):
                self.wfile.write(b"221 bye\r\n")
                return
            self.wfile.write(b"250 well\r\n")


def test_a_letter_reaches_the_mail_server_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), Postman) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        monkeypatch.setenv("LUMA_SMTP_URL", f"smtp://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("LUMA_MAIL_FROM", "LUMA <school@example.org>")
        settings.cache_clear()

        mail.send("anna@example.org", "Bröd is open", "Hello", "course-open-1")

    heard = b"".join(Postman.heard)
    assert b"mail FROM:<school@example.org>" in heard
    assert b"rcpt TO:<anna@example.org>" in heard
    assert b"Message-ID: <course-open-1@127.0.0.1>" in heard


def test_no_line_end_gets_into_a_header() -> None:
    with pytest.raises(ValueError, match="linefeed"):
        mail.send("a@example.org\nBcc: all@example.org", "Hello", "Text", "key")
