"""A forgotten password: one answer for everybody, one hour, once, and everybody else is out."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from luma.errors import NotFound, RuleBroken, TooMany
from luma.models.letter import Letter
from luma.models.user import User
from luma.services import accounts, clock, half_way, resets
from luma.services.accounts import Visit
from luma.services.post import seals
from tests.bad_values import BAD_TEXT
from tests.factories import make_user

HERE = Visit("203.0.113.7", "Firefox")
NEW = "argon2-of-another"


def run_jobs(session: Session) -> None:
    """What the worker does with the asking."""
    rows = session.execute(
        text(
            "DELETE FROM procrastinate_jobs WHERE task_name = 'accounts.write_reset' RETURNING args"
        )
    ).all()
    for row in rows:
        resets.write(session, row.args["sealed"])


def sent(session: Session, kind: str = "reset") -> Letter:
    """The newest letter of a kind."""
    newest = select(Letter).where(Letter.kind == kind).order_by(Letter.id.desc()).limit(1)
    return session.scalars(newest).one()


def token_in(letter: Letter) -> str:
    assert letter.seed
    return seals.token(letter.seed)


def asked(session: Session, user: User) -> str:
    resets.ask(session, user.email, HERE.address)
    run_jobs(session)
    return token_in(sent(session))


def later(monkeypatch: pytest.MonkeyPatch, time: timedelta) -> None:
    then = clock.now() + time
    monkeypatch.setattr(clock, "now", lambda: then)


def test_a_new_password_is_set_and_ends_every_session(session: Session) -> None:
    user = make_user(session)
    user.email_verified_at = None
    key = accounts.key_of(accounts.open_session(session, user.id, HERE))
    half = half_way.begin(session, user.id)

    ended = resets.finish(session, asked(session, user), NEW)

    session.refresh(user)
    assert ended == [key]
    assert not accounts.is_alive(session, key)
    assert not half_way.is_waiting(session, half)
    assert user.password_hash == NEW
    assert user.email_verified_at is not None
    assert sent(session, "password-changed").address == user.email


def test_a_link_works_once(session: Session) -> None:
    token = asked(session, make_user(session))
    resets.finish(session, token, NEW)

    with pytest.raises(NotFound, match="Ask for a new one"):
        resets.finish(session, token, "another")


def test_looking_at_a_link_uses_nothing_up(session: Session) -> None:
    user = make_user(session)
    token = asked(session, user)

    for _ in range(3):
        owner = resets.owner(session, token)

    assert owner == resets.Owner(user.name, user.email)
    resets.finish(session, token, NEW)
    assert resets.owner(session, token) is None


def test_a_link_lasts_an_hour(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    token = asked(session, make_user(session))
    later(monkeypatch, timedelta(hours=1))

    assert resets.owner(session, token) is None
    with pytest.raises(NotFound):
        resets.finish(session, token, NEW)


def test_only_the_newest_link_works(session: Session) -> None:
    user = make_user(session)
    first = asked(session, user)

    second = asked(session, user)

    assert resets.owner(session, first) is None
    assert resets.owner(session, second) is not None


def test_a_link_is_worth_nothing_once_the_address_is_another(session: Session) -> None:
    user = make_user(session)
    token = asked(session, user)
    user.email = "elsewhere@example.org"
    session.flush()

    with pytest.raises(NotFound):
        resets.finish(session, token, NEW)


def test_who_comes_through_a_provider_gets_a_password_as_well(session: Session) -> None:
    user = make_user(session)
    user.password_hash, user.external_id = None, "https://id.example 7"
    session.flush()

    resets.finish(session, asked(session, user), NEW)

    session.refresh(user)
    assert user.password_hash == NEW


def test_strangers_and_disabled_users_get_no_letter(session: Session) -> None:
    user = make_user(session, email="ben@example.org")
    user.disabled_at = clock.now()
    session.flush()

    for email in ("nobody@example.org", "ben@example.org"):
        resets.ask(session, email, HERE.address)
    run_jobs(session)

    assert session.scalars(select(Letter)).all() == []


@contextmanager
def noted(session: Session) -> Iterator[list[str]]:
    """Every statement that is run, in the order of running."""
    statements: list[str] = []

    def note(_c: object, _d: object, statement: str, *_more: object) -> None:
        statements.append(statement)

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", note)
    yield statements
    event.remove(connection, "before_cursor_execute", note)


def test_asking_does_the_same_whether_or_not_the_address_has_an_account(session: Session) -> None:
    """The same statements, the same job: there is no time to tell anything by."""
    user = make_user(session)
    resets.ask(session, "warm@example.org", "203.0.113.1")
    did = []
    for email, address in ((user.email, "203.0.113.8"), ("nobody@example.org", "203.0.113.9")):
        with noted(session) as statements:
            resets.ask(session, email, address)
        did.append(statements)

    assert did[0] == did[1]
    assert not any("users" in statement for statement in did[0])


def test_no_address_lies_open_in_the_queue(session: Session) -> None:
    resets.ask(session, "anna@example.org", HERE.address)

    queued = session.execute(text("SELECT args::text FROM procrastinate_jobs")).scalars().all()

    assert not any("anna" in args for args in queued)


def test_the_sixth_letter_in_a_day_waits_known_or_not(session: Session) -> None:
    user = make_user(session)
    for email in (user.email, "nobody@example.org"):
        for number in range(5):
            resets.ask(session, email, f"203.0.113.{number}")

        with pytest.raises(TooMany, match="24 hours"):
            resets.ask(session, email, "203.0.113.99")


def test_one_address_asks_for_twenty_people_a_day(session: Session) -> None:
    for number in range(20):
        resets.ask(session, f"person{number}@example.com", HERE.address)

    with pytest.raises(TooMany):
        resets.ask(session, "person@example.com", HERE.address)


@pytest.mark.parametrize("bad", BAD_TEXT)
def test_what_is_no_address_or_no_token_is_refused_in_words(session: Session, bad: str) -> None:
    with pytest.raises(RuleBroken):
        resets.ask(session, bad, HERE.address)
    with pytest.raises(NotFound):
        resets.finish(session, bad, NEW)
