"""Nobody learns from a clock which addresses have an account: CPU of both answers, side by side."""

import time
from statistics import median

from sqlalchemy.orm import Session

from luma.services import accounts, passwords
from tests.factories import make_user

PAIRS = 21


def cost(session: Session, email: str, turn: int) -> float:
    """CPU seconds of one wrong password, from an address of its own so that none is slowed down."""
    began = time.process_time()
    known = accounts.begin_sign_in(session, email, f"203.0.113.{turn}")
    right, _ = passwords.verified("not the password of anybody", known.password_hash)
    spent = time.process_time() - began
    assert not right
    return spent


def test_a_wrong_password_costs_the_same_with_and_without_an_account(session: Session) -> None:
    people = [make_user(session).email for _ in range(PAIRS)]
    session.flush()
    cost(session, "warm@example.org", 255)

    pairs = [
        (cost(session, email, turn), cost(session, f"nobody{turn}@example.org", turn + 100))
        for turn, email in enumerate(people)
    ]

    ratio = median(known / unknown for known, unknown in pairs)
    assert 0.9 < ratio < 1.1, f"{ratio:.2f}"
