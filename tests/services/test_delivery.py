"""Letters on their way: a mail server that works, is away, is slow, refuses, or wants proof."""

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.orm import Session

from luma import db, worker
from luma.errors import RuleBroken
from luma.models.letter import Letter
from luma.services import clock, health, letters, queue
from luma.services.gateways import mail
from luma.services.gateways.mail import MailDown
from luma.services.post import delivery
from luma.settings import settings
from luma.values import LetterStatus
from tests.browser.ports import free_port
from tests.factories import make_user
from tests.standins.mail import MailServer, mail_server, make_certificate, words


def use(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("LUMA_SMTP_URL", url)
    monkeypatch.setenv("LUMA_MAIL_FROM", "LUMA <school@example.org>")
    settings.cache_clear()


@pytest.fixture
def post_office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    with mail_server(tmp_path / "taken") as server:
        use(monkeypatch, f"smtp://127.0.0.1:{server.port}")
        yield server


def written(session: Session, name: str = "anna") -> Letter:
    user = make_user(session, email=f"{name}@example.org")
    letters.write(session, user.id, "hello", subject="Bröd is öpen", text="It is\n\nyours.")
    return session.scalars(select(Letter).where(Letter.user_id == user.id)).one()


def later(monkeypatch: pytest.MonkeyPatch, time: timedelta) -> None:
    then = clock.now() + time
    monkeypatch.setattr(clock, "now", lambda: then)


def test_a_letter_arrives_as_it_was_written(session: Session, post_office: MailServer) -> None:
    letter = written(session)

    delivery.send(letter.id)

    (taken,) = post_office.taken
    assert taken["From"] == "LUMA <school@example.org>"
    assert taken["To"] == "anna@example.org"
    assert taken["Subject"] == "Bröd is öpen"
    assert taken["Message-ID"] == f"<{letter.key}@127.0.0.1>"
    assert "It is\n\nyours." in words(taken).replace("\r", "")
    session.refresh(letter)
    assert letter.status is LetterStatus.SENT


def test_a_letter_that_went_is_not_sent_again(session: Session, post_office: MailServer) -> None:
    letter = written(session)

    delivery.send(letter.id)
    delivery.send(letter.id)

    assert len(post_office.taken) == 1


def test_a_mail_whose_answer_is_lost_goes_again_as_the_same_mail(
    session: Session, post_office: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = written(session, "lost")
    with pytest.raises(MailDown):
        delivery.send(letter.id)
    later(monkeypatch, timedelta(hours=3))

    delivery.send(letter.id)

    first, second = (file.read_bytes() for file in sorted(post_office.folder.glob("*.eml")))
    assert first == second


def test_a_server_that_is_away_loses_nothing(
    session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    letter = written(session)
    use(monkeypatch, f"smtp://127.0.0.1:{free_port()}")
    for hours in (0, 5, 24, 40):
        later(monkeypatch, timedelta(hours=hours))
        with pytest.raises(MailDown):
            delivery.send(letter.id)
    session.refresh(letter)
    assert (letter.status, letter.attempts) == (LetterStatus.WAITING, 4)
    assert letter.trouble == "The mail server does not answer."

    with mail_server(tmp_path / "taken") as server:
        use(monkeypatch, f"smtp://127.0.0.1:{server.port}")
        delivery.send(letter.id)

        assert [taken["To"] for taken in server.taken] == ["anna@example.org"]


def test_after_three_days_a_letter_is_given_up_until_somebody_sends_it_again(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = written(session)
    use(monkeypatch, f"smtp://127.0.0.1:{free_port()}")
    later(monkeypatch, timedelta(days=3))

    delivery.send(letter.id)

    session.refresh(letter)
    assert letter.status is LetterStatus.GIVEN_UP
    letter.try_again(clock.now())
    session.flush()
    with pytest.raises(MailDown):
        delivery.send(letter.id)


@pytest.mark.parametrize(
    ("name", "said"), [("nobody", "550: 5.1.1 There is no nobody here"), ("full", "552: 5.2.2")]
)
def test_what_is_refused_for_good_is_noted_and_not_tried_again(
    session: Session, post_office: MailServer, name: str, said: str
) -> None:
    letter = written(session, name)

    delivery.send(letter.id)
    delivery.send(letter.id)

    session.refresh(letter)
    assert letter.status is LetterStatus.REFUSED
    assert said in letter.trouble
    assert post_office.taken == []


def test_a_greylisted_letter_arrives_the_second_time(
    session: Session, post_office: MailServer
) -> None:
    letter = written(session, "greylisted")
    with pytest.raises(MailDown, match="451"):
        delivery.send(letter.id)

    delivery.send(letter.id)

    assert len(post_office.taken) == 1


@pytest.mark.usefixtures("post_office")
def test_a_server_that_never_answers_is_left_in_time(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = written(session, "stuck")
    monkeypatch.setattr(mail, "DEADLINE", 0.5)

    with pytest.raises(MailDown):
        delivery.send(letter.id)


def test_two_workers_do_not_send_one_letter_at_once(
    session: Session, post_office: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = written(session)
    letter.sending_until = clock.now() + delivery.CLAIM
    session.flush()

    with pytest.raises(delivery.InOtherHands):
        delivery.send(letter.id)

    assert post_office.taken == []
    later(monkeypatch, delivery.CLAIM)
    delivery.send(letter.id)
    assert len(post_office.taken) == 1


def test_a_letter_whose_link_has_run_out_is_not_sent(
    session: Session, post_office: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = written(session)
    letter.seed, letter.good_until = b"s" * 32, clock.now() + timedelta(hours=1)
    session.flush()
    later(monkeypatch, timedelta(hours=1))

    delivery.send(letter.id)

    session.refresh(letter)
    assert letter.status is LetterStatus.EXPIRED
    assert not letter.seed
    assert post_office.taken == []
    with pytest.raises(RuleBroken, match="ask for a new one"):
        letter.try_again(clock.now())


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_tls_and_a_sign_in(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    certificate, key = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", certificate)
    options = ["--certificate", certificate, "--key", key, "--sign-in", "luma:p@ss/word"]
    letter = written(session)
    with mail_server(tmp_path / "taken", *options, *["--smtps"] * (scheme == "smtps")) as server:
        use(monkeypatch, f"{scheme}://luma:wrong@localhost:{server.port}")
        with pytest.raises(MailDown, match="535"):
            delivery.send(letter.id)
        use(monkeypatch, f"{scheme}://luma:p%40ss%2Fword@localhost:{server.port}")

        delivery.send(letter.id)

        assert len(server.taken) == 1


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_a_certificate_that_nobody_vouches_for_is_refused(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    certificate, key = make_certificate(tmp_path)
    options = ["--certificate", certificate, "--key", key, *["--smtps"] * (scheme == "smtps")]
    letter = written(session)
    with mail_server(tmp_path / "taken", *options) as server:
        use(monkeypatch, f"{scheme}://luma:secret@localhost:{server.port}")

        with pytest.raises(MailDown):
            delivery.send(letter.id)

        assert server.taken == []


def test_a_password_never_travels_in_the_clear(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "LOOPBACK", ())
    letter = written(session)
    with mail_server(tmp_path / "taken", "--sign-in", "luma:secret") as server:
        use(monkeypatch, f"smtp://luma:secret@127.0.0.1:{server.port}")

        with pytest.raises(MailDown, match="the password was not sent"):
            delivery.send(letter.id)

        assert server.taken == []


@pytest.mark.parametrize("url", ["mail.example.org", "http://x.example", "smtp://", "://:99"])
def test_an_address_that_is_no_mail_server_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    use(monkeypatch, url)

    with pytest.raises(ValueError, match=r"smtp\+starttls://name:password@"):
        settings()


def test_letters_that_wait_do_not_send_visitors_away(session: Session) -> None:
    written(session)
    session.execute(text("UPDATE procrastinate_events SET at = at - interval '1 day'"))
    assert health.health(session).jobs_on_time

    queue.defer(session, "letters.course_open", enrolment_id=0)
    session.execute(text("UPDATE procrastinate_events SET at = at - interval '1 day'"))

    assert not health.health(session).jobs_on_time


async def test_letters_that_wait_for_a_server_delay_nothing_else(
    fresh_database: str, post_office: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "JOBS_END_AFTER", 1)
    with db.unit_of_work() as session:
        user = make_user(session, email="stuck@example.org")
        for _ in range(20):
            letters.write(session, user.id, "hello", subject="Hello", text="Text")
    working = asyncio.create_task(worker.work())
    await _until(fresh_database, "SELECT count(*) = 2 FROM letters WHERE sending_until > now()")
    with db.unit_of_work() as session:
        queue.defer(session, "letters.course_open", enrolment_id=0)

    others = "FROM procrastinate_jobs WHERE queue_name = 'default' AND task_name LIKE 'letters%'"
    await _until(fresh_database, f"SELECT count(*) = 0 {others}")
    stopped = time.monotonic()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)

    assert time.monotonic() - stopped < 4
    assert post_office.taken == []


async def _until(database: str, question: str) -> None:
    engine = create_engine(database)
    await asyncio.to_thread(_wait, engine, question)
    engine.dispose()


def _wait(engine: Engine, question: str) -> None:
    end = time.monotonic() + 15
    while time.monotonic() < end:
        with Session(engine) as session:
            if session.scalar(text(question)):
                return
        time.sleep(0.05)
    raise TimeoutError(question)
