"""People hear of sign-ins that may not be theirs, and of no others."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from luma.models.letter import Letter
from luma.models.user import SignedIn, User
from luma.services import accounts, clock, devices
from luma.services.accounts import Visit
from tests.bad_values import BAD_TEXT
from tests.factories import actor, make_user

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"
NEWER_FIREFOX = FIREFOX.replace("145", "146")
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1"
)
HERE = Visit("203.0.113.7", FIREFOX)


def notices(session: Session) -> list[str]:
    wanted = select(Letter.text).where(Letter.kind == "new-sign-in").order_by(Letter.id)
    return list(session.scalars(wanted))


def come_in(session: Session, user: User, visit: Visit) -> None:
    accounts.open_session(session, user.id, visit)
    session.flush()


def test_the_first_sign_in_is_no_surprise(session: Session) -> None:
    come_in(session, make_user(session), HERE)

    assert notices(session) == []


def test_a_known_browser_at_a_known_place_is_no_surprise(session: Session) -> None:
    user = make_user(session)
    come_in(session, user, HERE)

    come_in(session, user, Visit("203.0.113.99", NEWER_FIREFOX))

    assert notices(session) == []


@pytest.mark.parametrize("visit", [Visit("203.0.113.7", IPHONE), Visit("198.51.100.1", FIREFOX)])
def test_a_new_browser_or_a_new_place_is_told(session: Session, visit: Visit) -> None:
    user = make_user(session)
    come_in(session, user, HERE)

    come_in(session, user, visit)
    come_in(session, user, visit)

    (told,) = notices(session)
    assert devices.words(visit.user_agent) in told
    assert visit.address in told


def test_an_account_that_slept_is_told_even_when_its_sessions_are_forgotten(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user(session)
    come_in(session, user, HERE)
    session.execute(delete(SignedIn))
    then = clock.now() + timedelta(days=61)
    monkeypatch.setattr(clock, "now", lambda: then)

    come_in(session, user, HERE)

    assert len(notices(session)) == 1


def test_a_changed_password_is_told(session: Session) -> None:
    user = make_user(session)
    come_in(session, user, HERE)

    accounts.change_password(session, actor(user), "argon2-of-another", HERE)

    assert session.scalars(select(Letter.kind)).all() == ["password-changed"]


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        (IPHONE, "Safari on an iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64) … Chrome/142.0.0.0 Safari/537.36", "Chrome on Linux"),
        ("… (Macintosh; …) Chrome/142.0.0.0 Safari/537.36 Edg/142.0", "Edge on a Mac"),
        ("curl/8.5", "An unknown program"),
        ("", "An unknown program"),
    ],
)
def test_a_browser_is_named_in_words(user_agent: str, words: str) -> None:
    assert devices.words(user_agent) == words


@pytest.mark.parametrize("bad", BAD_TEXT)
def test_no_browser_keeps_anybody_out(session: Session, bad: str) -> None:
    user = make_user(session)
    come_in(session, user, HERE)

    come_in(
        session, user, Visit(bad.replace("\0", "")[:45].encode("ascii", "replace").decode(), bad)
    )

    assert len(notices(session)) == 1
