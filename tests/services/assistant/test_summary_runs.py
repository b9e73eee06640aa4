"""All lessons of a course: each its own unit, cancelled, killed halfway, going on."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from luma.bridge import perform
from luma.errors import NotFound, RuleBroken
from luma.models.assistant import AiCall
from luma.models.summary import LessonSummary, SummaryRun, SummaryTask, TaskStatus
from luma.services.assistant import summary_list, summary_runs
from luma.services.assistant.summary_list import Overview
from luma.settings import settings
from tests.factories import make_instructor
from tests.services.assistant.lessons import Desk
from tests.standins.openrouter import OpenRouter


def overview(session: Session, desk: Desk) -> Overview:
    session.expire_all()
    return summary_list.overview(session, desk.me, desk.course.public_id)


def start(session: Session, desk: Desk, *, ai: bool = True) -> int:
    missing = [line.id for line in overview(session, desk).missing]
    summary_runs.start(session, desk.me, desk.course.public_id, missing, ai=ai)
    session.flush()
    return session.scalars(select(SummaryRun.id).order_by(SummaryRun.id.desc())).first() or 0


def drafts(session: Session) -> int:
    session.expire_all()
    return sum(one.draft is not None for one in session.scalars(select(LessonSummary)))


async def test_every_lesson_that_lacks_one_gets_a_draft_and_the_sum_is_the_real_cost(
    session: Session, router: OpenRouter
) -> None:
    desk = Desk(session, "Flour", "Water", "Salt", "Empty")
    desk.lesson(3).text = desk.lesson(3).text_html = ""
    desk.approve("Flour has one.")
    before = overview(session, desk)

    await summary_runs.work(start(session, desk))

    assert [line.state for line in before.lines] == ["approved", "none", "none", "nothing"]
    after = overview(session, desk)
    assert [line.state for line in after.lines] == ["approved", "draft", "draft", "nothing"]
    assert after.run is not None
    assert (after.run.status, after.run.done, after.run.total) == ("done", 2, 2)
    assert after.run.micros == 800 == after.budget.spent_micros <= before.most_micros


async def test_a_lesson_that_fails_does_not_hold_up_the_others(
    session: Session, router: OpenRouter
) -> None:
    desk = Desk(session, "Flour", "Water", "Salt")
    router.does("stream", "cut", "stream")

    await summary_runs.work(start(session, desk))

    run = overview(session, desk).run
    assert run is not None
    assert (run.status, run.done, run.failed) == ("done", 2, 1)
    assert run.failures[0][0] == "Water"
    assert "broke off" in run.failures[0][1]


async def test_a_worker_that_was_killed_goes_on_where_it_was(
    session: Session, router: OpenRouter
) -> None:
    desk = Desk(session, "Flour", "Water", "Salt")
    run_id = start(session, desk)
    step = await perform(summary_runs._next, run_id)
    assert step is not None
    await summary_runs._do(step)
    half = await perform(summary_runs._next, run_id)
    assert half is not None

    await summary_runs.work(run_id)

    assert drafts(session) == 3
    tasks = session.scalars(select(SummaryTask.status)).all()
    assert tasks == [TaskStatus.DONE] * 3
    assert len(router.asked) == 3
    assert len(session.scalars(select(AiCall)).all()) == 4


async def test_a_cancelled_run_keeps_what_is_done_and_does_no_more(
    session: Session, router: OpenRouter
) -> None:
    desk = Desk(session, "Flour", "Water", "Salt")
    run_id = start(session, desk)
    step = await perform(summary_runs._next, run_id)
    assert step is not None
    for _ in range(2):
        summary_runs.cancel(session, desk.me, desk.course.public_id)

    await summary_runs._do(step)
    await summary_runs.work(run_id)

    assert drafts(session) == 1
    assert len(router.asked) == 1
    run = overview(session, desk).run
    assert run is not None
    assert run.status == "cancelled"


async def test_when_the_budget_is_used_up_the_run_stops_and_says_so(
    session: Session, router: OpenRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUMA_AI_MONTHLY_CENTS", "1")
    settings.cache_clear()
    desk = Desk(session, "Flour", "Water", "Salt")
    router.does({"kind": "stream", "cost": 0.0098})

    await summary_runs.work(start(session, desk))

    run = overview(session, desk).run
    assert run is not None
    assert (run.status, run.done) == ("stopped", 1)
    assert "used up" in run.problem


async def test_a_service_that_is_down_stops_the_run_after_some_lessons(
    session: Session, router: OpenRouter
) -> None:
    desk = Desk(session, *[f"Lesson {number}" for number in range(9)])
    router.does(*["html"] * 9)

    await summary_runs.work(start(session, desk))

    run = overview(session, desk).run
    assert run is not None
    assert (run.status, run.failed) == ("stopped", summary_runs.MOST_FAILURES)
    assert "Begin again later" in run.problem


async def test_a_course_that_is_not_theirs_any_more_is_not_summarised(
    session: Session, router: OpenRouter
) -> None:
    desk = Desk(session)
    run_id = start(session, desk)
    desk.course.instructor_id = make_instructor(session).id
    session.flush()

    await summary_runs.work(run_id)

    assert router.asked == []
    assert drafts(session) == 0


async def test_without_an_ai_all_lessons_get_their_own_sentences(session: Session) -> None:
    desk = Desk(session, "Flour", "Water")
    with pytest.raises(RuleBroken, match="No AI is set up"):
        start(session, desk)

    await summary_runs.work(start(session, desk, ai=False))

    assert drafts(session) == 2
    assert session.scalars(select(AiCall)).all() == []


def test_a_second_press_starts_nothing_twice(session: Session, router: OpenRouter) -> None:
    desk = Desk(session)

    start(session, desk)
    start(session, desk)

    assert len(session.scalars(select(SummaryRun)).all()) == 1
    jobs = text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'assistant.summarise'")
    assert session.scalar(jobs) == 1


def test_lessons_of_another_course_are_left_alone(session: Session, router: OpenRouter) -> None:
    desk, other = Desk(session), Desk(session)
    me, course, foreign = desk.me, desk.course.public_id, other.course.public_id

    with pytest.raises(RuleBroken, match="Every lesson"):
        summary_runs.start(session, me, course, other.ids, ai=True)
    with pytest.raises(NotFound):
        summary_runs.start(session, me, foreign, other.ids, ai=True)
    with pytest.raises(NotFound):
        summary_runs.cancel(session, me, foreign)
    with pytest.raises(NotFound):
        summary_list.overview(session, me, foreign)
