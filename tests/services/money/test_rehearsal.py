"""A rehearsal plays a whole sale, leaves nothing behind, and is counted nowhere."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from luma.errors import NotFound, RuleBroken
from luma.models.course import Course
from luma.models.ledger import LedgerTransaction
from luma.models.letter import Letter
from luma.models.order import Order
from luma.models.progress import Enrolment
from luma.models.rehearsal import Rehearsal
from luma.models.user import User
from luma.services import clock, course_list, letters
from luma.services.money import refunds, rehearsal, rehearsal_steps
from luma.services.policies import Actor
from luma.settings import settings
from luma.values import LetterStatus, Money, OrderStatus, Role
from tests.factories import make_instructor, make_published, make_user
from tests.selling import deliver


@pytest.fixture
def course(session: Session) -> Course:
    return make_published(session)


def teacher(course: Course) -> Actor:
    return Actor(course.instructor_id, "Ines", "ines@example.org", frozenset({Role.INSTRUCTOR}))


def jobs(session: Session, name: str) -> list[dict[str, Any]]:
    """What waits in the queue under this name, taken out of it."""
    session.flush()
    taken = text("DELETE FROM procrastinate_jobs WHERE task_name = :name RETURNING id, args")
    return [row.args for row in sorted(session.execute(taken, {"name": name}))]


def work(session: Session) -> None:
    """One round of the worker, without the network: events arrive, letters go."""
    for job in jobs(session, "rehearsals.play"):
        rehearsal.play(job["rehearsal_id"])
    for job in jobs(session, "sandbox.deliver"):
        deliver(session, job["payload"])
    for job in jobs(session, "refunds.send"):
        refunds.send(job["request_id"])
    for letter in session.query(Letter).filter(Letter.status == LetterStatus.WAITING):
        letter.send(clock.now())
    session.flush()


def play(session: Session, course: Course) -> Rehearsal:
    rehearsal.begin(session, teacher(course), course.public_id)
    for _ in range(6):
        work(session)
    session.expire_all()
    return session.query(Rehearsal).order_by(Rehearsal.id.desc()).first()  # type: ignore[return-value]  # there is one


def test_a_rehearsal_goes_through_every_step_and_ends(session: Session, course: Course) -> None:
    row = play(session, course)

    found = rehearsal_steps.look(session, teacher(course), course.public_id)
    assert (row.trouble, found.is_running) == (None, False)
    done = {step.words: step.at is not None for step in found.steps}
    assert done.pop("The signed event reaches LUMA over HTTP") is False
    assert set(done.values()) == {True}
    assert session.query(Order).one().status is OrderStatus.REFUNDED
    assert session.query(Enrolment).one().active is False


def test_nothing_of_it_counts(session: Session, course: Course) -> None:
    rehearsal.begin(session, teacher(course), course.public_id)
    work(session)
    session.expire_all()
    during = course_list.mine(session, teacher(course))
    was_open = session.query(Enrolment).one().active
    for _ in range(5):
        work(session)
    after = course_list.mine(session, teacher(course))

    assert was_open
    assert [(line.students, line.revenue) for line in (*during, *after)] == [(0, ()), (0, ())]
    assert session.query(LedgerTransaction).count() == 0


def test_its_letters_go_to_the_instructor_and_say_what_they_are(
    session: Session, course: Course
) -> None:
    play(session, course)

    email = session.get_one(User, course.instructor_id).email
    letters = session.query(Letter).all()
    assert {letter.address for letter in letters} == {email}
    assert all(letter.subject.startswith("[Rehearsal] ") for letter in letters)
    assert {"course-open", "receipt", "sale"} <= {letter.kind for letter in letters}


def test_pressing_twice_plays_it_once(session: Session, course: Course) -> None:
    for _ in range(2):
        rehearsal.begin(session, teacher(course), course.public_id)

    assert session.query(Rehearsal).count() == 1
    assert len(jobs(session, "rehearsals.play")) == 1


def test_a_job_that_runs_twice_buys_once(session: Session, course: Course) -> None:
    rehearsal.begin(session, teacher(course), course.public_id)
    (job,) = jobs(session, "rehearsals.play")

    for _ in range(3):
        rehearsal.play(job["rehearsal_id"])

    assert session.query(Order).count() == 1
    paid = [job for job in jobs(session, "sandbox.deliver") if "completed" in job["payload"]]
    assert len(paid) == 1


def test_it_can_be_played_again_and_again(session: Session, course: Course) -> None:
    for _ in range(2):
        assert play(session, course).trouble is None

    assert session.query(Order).count() == 2
    assert session.query(User).filter(User.rehearses_for_id.is_not(None)).count() == 1


def test_one_that_is_stuck_ends_by_itself_and_leaves_no_access(
    session: Session, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    rehearsal.begin(session, teacher(course), course.public_id)
    work(session)
    row = session.query(Rehearsal).one()
    row.started_at = clock.now() - timedelta(minutes=2)
    session.flush()

    with monkeypatch.context() as without_refunds:
        without_refunds.setattr(rehearsal, "_ask_for_refund", lambda *_: None)
        over = rehearsal.go_on(session, row.id)

    session.expire_all()
    assert over
    assert "without a tick" in (session.query(Rehearsal).one().trouble or "")
    assert session.query(Enrolment).one().active is False
    assert play(session, course).trouble is None


def test_what_cannot_be_bought_cannot_be_rehearsed(
    session: Session, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    course.price = Money(0, "usd")
    with pytest.raises(RuleBroken, match="is free"):
        rehearsal.begin(session, teacher(course), course.public_id)
    course.price = Money(4900, "usd")
    course.unpublish(clock.now())
    with pytest.raises(RuleBroken, match="Publish the course first"):
        rehearsal.begin(session, teacher(course), course.public_id)
    monkeypatch.setenv("LUMA_STRIPE_SECRET_KEY", "sk_live_x")
    settings.cache_clear()
    with pytest.raises(RuleBroken, match="test cards"):
        rehearsal.begin(session, teacher(course), course.public_id)

    assert session.query(Rehearsal).count() == 0


def test_nobody_elses_course_is_rehearsed(session: Session, course: Course) -> None:
    rival = make_instructor(session)
    stranger = Actor(rival.id, "", "", frozenset({Role.INSTRUCTOR}))
    for name in (course.public_id, "", "\x00", "a" * 9999):
        for deed in (rehearsal.begin, rehearsal_steps.look):
            with pytest.raises(NotFound):
                deed(session, stranger, name)


def test_why_an_event_does_not_arrive_is_said_at_its_step(session: Session, course: Course) -> None:
    rehearsal.begin(session, teacher(course), course.public_id)
    for job in jobs(session, "rehearsals.play"):
        rehearsal.play(job["rehearsal_id"])
    (paid, *_) = [json.loads(job["payload"]) for job in jobs(session, "sandbox.deliver")]
    session.execute(
        text("UPDATE sandbox_events SET trouble = 'Nobody answers.' WHERE event_id = :id"),
        {"id": paid["id"]},
    )
    session.expire_all()

    found = rehearsal_steps.look(session, teacher(course), course.public_id)

    assert next(step.mend for step in found.steps if step.at is None) == "Nobody answers."


def test_a_buyer_who_rehearses_gets_no_link_that_signs_in(session: Session, course: Course) -> None:
    play(session, course)
    buyer = session.query(User).filter(User.rehearses_for_id.is_not(None)).one()
    before = session.query(Letter).count()

    letters.write(
        session,
        buyer.id,
        "reset",
        subject="Reset",
        text="…",
        single_use=letters.SingleUse(b"seed", timedelta(hours=1)),
    )

    assert session.query(Letter).count() == before
    assert make_user(session).rehearses_for_id is None
