"""Where somebody is signed in, and ending it from anywhere."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from luma.errors import LumaError, NotFound
from luma.models.user import User
from luma.services import accounts, clock, sessions
from luma.services.accounts import Visit
from luma.services.policies import Actor
from tests.bad_values import BAD_JSON
from tests.factories import make_user

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)


def signed_in(session: Session, user: User, agent: str = FIREFOX) -> Actor:
    token = accounts.open_session(session, user.id, Visit("203.0.113.7", agent))
    viewer = accounts.viewer(session, accounts.key_of(token))
    assert viewer is not None
    return viewer


def test_the_browser_one_looks_from_comes_first(session: Session) -> None:
    user = make_user(session)
    here = signed_in(session, user)
    signed_in(session, user, PHONE)
    signed_in(session, make_user(session))

    lines = sessions.mine(session, here)

    assert [(line.device, line.is_this) for line in lines] == [
        ("Firefox on Linux", True),
        ("Safari on an iPhone", False),
    ]
    assert lines[0].address == "203.0.113.7"


def test_ended_and_idle_ones_are_not_listed(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user(session)
    accounts.close_session(session, signed_in(session, user).session_key)
    signed_in(session, user)
    later = clock.now() + timedelta(days=15)
    monkeypatch.setattr(clock, "now", lambda: later)
    here = signed_in(session, user)

    assert [line.is_this for line in sessions.mine(session, here)] == [True]


def test_one_is_signed_out_from_another_browser(session: Session) -> None:
    user = make_user(session)
    here, phone = signed_in(session, user), signed_in(session, user, PHONE)
    other = next(line for line in sessions.mine(session, here) if not line.is_this)

    assert sessions.end(session, here, str(other.id)) == [phone.session_key]

    assert not accounts.is_alive(session, phone.session_key)
    assert accounts.is_alive(session, here.session_key)
    with pytest.raises(NotFound):
        sessions.end(session, here, other.id)


def test_anothers_session_is_not_there(session: Session) -> None:
    anna, ben = (signed_in(session, make_user(session)) for _ in range(2))
    (bens,) = sessions.mine(session, ben)

    with pytest.raises(NotFound):
        sessions.end(session, anna, bens.id)

    assert accounts.is_alive(session, ben.session_key)


def test_signing_out_others_keeps_this_one_and_other_people(session: Session) -> None:
    user = make_user(session)
    here, phone = signed_in(session, user), signed_in(session, user, PHONE)
    somebody = signed_in(session, make_user(session))

    assert sessions.end_others(session, here) == [phone.session_key]
    assert sessions.end_others(session, here) == []

    assert accounts.is_alive(session, here.session_key)
    assert accounts.is_alive(session, somebody.session_key)


def test_no_bad_value_ends_anything(session: Session) -> None:
    here = signed_in(session, make_user(session))

    for value in BAD_JSON:
        if value not in (0, 1):
            with pytest.raises(LumaError):
                sessions.end(session, replace(here), value)

    assert accounts.is_alive(session, here.session_key)
