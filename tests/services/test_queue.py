"""A job belongs to the transaction that wants it."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from luma import db
from luma.services import queue


def jobs(session: Session) -> int:
    return session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) or 0


def defer_and_fail() -> None:
    with db.unit_of_work() as inner:
        queue.defer(inner, "mail.welcome", to=1)
        raise ZeroDivisionError


def test_asking_twice_queues_once_and_the_transaction_goes_on(session: Session) -> None:
    queue.defer(session, "mail.welcome", once="anna", to=1)

    queue.defer(session, "mail.welcome", once="anna", to=1)

    assert jobs(session) == 1


def test_a_transaction_that_fails_queues_nothing(session: Session) -> None:
    with pytest.raises(ZeroDivisionError):
        defer_and_fail()

    assert jobs(session) == 0
