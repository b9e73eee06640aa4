"""The queue as an admin sees it: what failed, why, and once more."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from luma.errors import NotAllowed, NotFound, RuleBroken, ServiceDown
from luma.models.audit import AuditEntry
from luma.models.job import JobFailure
from luma.models.payment import StripeEvent
from luma.services import clock, failures, queue
from luma.services.admin import jobs
from luma.services.policies import Actor
from luma.values import EventStatus
from tests.bad_values import BAD_JSON
from tests.factories import fresh, make_instructor


def failed(session: Session, task: str = "letters.course_open", once: str | None = None) -> int:
    queue.defer(session, task, once=once)
    change = "UPDATE procrastinate_jobs SET status = 'failed', attempts = 3 WHERE id = :id"
    job: int = session.execute(text("SELECT max(id) FROM procrastinate_jobs")).scalar_one()
    session.execute(text(change), {"id": job})
    return job


def state(session: Session, job: int) -> str:
    question = text("SELECT status::text FROM procrastinate_jobs WHERE id = :id")
    return str(session.execute(question, {"id": job}).scalar_one())


def stuck(session: Session, status: EventStatus) -> StripeEvent:
    event = StripeEvent(
        event_id="evt_1",
        type="checkout.session.completed",
        livemode=False,
        created_at=clock.now(),
        raw=b"{}",
        source="push",
        next_at=clock.now(),
        received_at=clock.now() - timedelta(days=2),
    )
    if status is EventStatus.DEAD:
        event.give_up("UnknownOrder: no such order")
    session.add(event)
    session.flush()
    return event


def test_only_admins_see_and_run_jobs(session: Session) -> None:
    job, nobody = failed(session), fresh(make_instructor(session))
    event = stuck(session, EventStatus.DEAD)

    for deed in (
        lambda: jobs.failures(session, nobody),
        lambda: jobs.run_again(session, nobody, job),
        lambda: jobs.put_away(session, nobody, job),
        lambda: jobs.apply_again(session, nobody, event.event_id),
    ):
        with pytest.raises(NotAllowed):
            deed()


def test_a_failed_job_is_listed_with_its_cause(session: Session, admin: Actor) -> None:
    job = failed(session)
    failures.note(session, job, "First this.")
    failures.note(session, job, "Then that.")

    found = jobs.failures(session, admin)

    assert [(one.id, one.task, one.cause) for one in found.given_up] == [
        (job, "letters.course_open", "Then that.")
    ]
    assert found.tried_again == ()


def test_a_job_that_is_tried_again_says_when(session: Session, admin: Actor) -> None:
    queue.defer(session, "catalogue.sync", in_seconds=60)
    session.execute(text("UPDATE procrastinate_jobs SET attempts = 1"))

    (waiting,) = jobs.failures(session, admin).tried_again

    assert waiting.next_at is not None
    assert jobs.failures(session, admin).given_up == ()


def test_a_failed_job_runs_again(session: Session, admin: Actor) -> None:
    job = failed(session)

    jobs.run_again(session, admin, job)
    session.flush()

    assert state(session, job) == "todo"
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.act, entry.thing) == ("job.run_again", f"job {job}")


def test_a_second_press_finds_it_gone(session: Session, admin: Actor) -> None:
    job = failed(session)
    jobs.run_again(session, admin, job)

    with pytest.raises(NotFound):
        jobs.run_again(session, admin, job)


def test_a_failed_job_is_put_away_once(session: Session, admin: Actor) -> None:
    job, other = failed(session), failed(session)

    jobs.put_away(session, admin, job)
    with pytest.raises(NotFound):
        jobs.put_away(session, admin, job)

    assert [one.id for one in jobs.failures(session, admin).given_up] == [other]
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.act, entry.before) == ("job.put_away", {"task": "letters.course_open"})


def test_a_job_that_waits_or_runs_is_not_put_away(session: Session, admin: Actor) -> None:
    queue.defer(session, "catalogue.sync")
    waiting = session.scalar(text("SELECT max(id) FROM procrastinate_jobs"))

    with pytest.raises(NotFound):
        jobs.put_away(session, admin, str(waiting))


def test_work_that_waits_already_is_not_doubled(session: Session, admin: Actor) -> None:
    job = failed(session, once="sync:1")
    queue.defer(session, "catalogue.sync", once="sync:1")

    with pytest.raises(RuleBroken, match="waits"):
        jobs.run_again(session, admin, job)

    assert state(session, job) == "failed"
    assert session.scalars(select(AuditEntry)).all() == []


@pytest.mark.parametrize("wish", BAD_JSON)
def test_what_is_no_job_is_not_found(session: Session, admin: Actor, wish: object) -> None:
    with pytest.raises(NotFound):
        jobs.run_again(session, admin, wish)
    with pytest.raises(NotFound):
        jobs.put_away(session, admin, wish)
    with pytest.raises(NotFound):
        jobs.apply_again(session, admin, wish)


def test_an_event_that_was_given_up_is_tried_again(session: Session, admin: Actor) -> None:
    event = stuck(session, EventStatus.DEAD)

    jobs.apply_again(session, admin, event.event_id)
    session.flush()

    assert event.status is EventStatus.NEW
    waiting = session.scalars(text("SELECT task_name FROM procrastinate_jobs")).all()
    assert waiting == ["inbox.apply"]
    assert session.scalars(select(AuditEntry.act)).all() == ["event.apply_again"]


def test_causes_are_words_without_what_errors_carry() -> None:
    secret = "sk_live_do_not_show"

    assert failures.in_words(ServiceDown("The gateway is down.")) == "The gateway is down."
    for error in (ValueError(secret), ConnectionResetError(secret), TimeoutError(secret)):
        assert secret not in failures.in_words(error)
        assert type(error).__name__ in failures.in_words(error)


def test_causes_of_jobs_that_are_gone_are_forgotten(session: Session) -> None:
    kept = failed(session)
    failures.note(session, kept, "Still here.")
    failures.note(session, kept + 1, "Gone.")

    failures.forget_old(session)

    assert session.scalars(select(JobFailure.job_id)).all() == [kept]
