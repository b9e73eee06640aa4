"""How often somebody may try."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from luma.errors import TooMany
from luma.models.user import AttemptKind
from luma.services import accounts, attempts, clock

CODE = AttemptKind.SECOND_FACTOR


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """Its last entry is the time."""
    times = [clock.now()]
    monkeypatch.setattr(clock, "now", lambda: times[-1])
    return times


def later(times: list[datetime], **span: float) -> None:
    times.append(times[-1] + timedelta(**span))


def test_every_limit_of_a_kind_holds(session: Session, times: list[datetime]) -> None:
    for _ in range(4):
        for _ in range(5):
            attempts.count(session, CODE, "1")
        with pytest.raises(TooMany, match=r"in 5 minutes\."):
            attempts.count(session, CODE, "1")
        later(times, minutes=5, seconds=1)

    with pytest.raises(TooMany, match=r"in 40 minutes\."):
        attempts.count(session, CODE, "1")


def test_the_limit_of_a_day_is_said_in_hours(session: Session, times: list[datetime]) -> None:
    for _ in range(5):
        attempts.count(session, AttemptKind.RESET, "anna@example.org")
    later(times, hours=3)

    with pytest.raises(TooMany, match=r"in 21 hours\."):
        attempts.count(session, AttemptKind.RESET, "anna@example.org")


def test_a_refused_attempt_does_not_make_the_wait_longer(
    session: Session, times: list[datetime]
) -> None:
    for _ in range(5):
        attempts.count(session, CODE, "1")
    later(times, minutes=4)
    with pytest.raises(TooMany, match=r"in a minute\."):
        attempts.count(session, CODE, "1")
    later(times, minutes=1, seconds=1)

    attempts.count(session, CODE, "1")


def test_the_twenty_first_sign_up_of_an_hour_from_an_address_waits(
    session: Session, times: list[datetime]
) -> None:
    for _ in range(20):
        accounts.begin_sign_up(session, "203.0.113.7")
        later(times, minutes=1)

    with pytest.raises(TooMany, match=r"in 40 minutes\."):
        accounts.begin_sign_up(session, "203.0.113.7")
    accounts.begin_sign_up(session, "203.0.113.8")
    accounts.begin_sign_in(session, "anna@example.org", "203.0.113.7")
    later(times, minutes=41)

    accounts.begin_sign_up(session, "203.0.113.7")


def test_keys_and_kinds_do_not_count_for_each_other(session: Session) -> None:
    for _ in range(5):
        attempts.count(session, CODE, "1")

    attempts.count(session, CODE, "2")
    attempts.count(session, AttemptKind.ACCOUNT, "1")


def test_what_was_right_in_the_end_is_forgiven(session: Session) -> None:
    for _ in range(5):
        attempts.count(session, CODE, "1")

    attempts.forgive(session, CODE, "1")

    attempts.count(session, CODE, "1")


def test_housekeeping_keeps_what_a_limit_still_counts(
    session: Session, times: list[datetime]
) -> None:
    for _ in range(5):
        attempts.count(session, AttemptKind.RESET, "anna@example.org")
    later(times, hours=23)

    attempts.forget_old(session)

    with pytest.raises(TooMany):
        attempts.count(session, AttemptKind.RESET, "anna@example.org")
