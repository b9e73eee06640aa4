"""Money for AI: taken before, settled to what it cost, never over the cap."""

import threading

import pytest
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from luma import db
from luma.errors import LumaError, NotAllowed, RuleBroken
from luma.models.assistant import AiCall, CallPurpose, CallStatus
from luma.services.assistant import asking, budget
from luma.services.assistant.asking import Call
from luma.services.assistant.budget import CENT, Wish
from luma.services.gateways.ai import Bill, Question
from luma.services.policies import Actor
from luma.settings import settings
from luma.values import Role
from tests.factories import actor, make_course, make_user
from tests.standins.openrouter import OpenRouter

QUESTION = Question("Summarise.", "Flour.", 200)


class Count(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    number: int


def spent(session: Session, call: AiCall) -> int:
    session.expire_all()
    instructor = make_actor(session, call.instructor_id)
    return budget.standing(session, instructor).spent_micros


def make_actor(session: Session, user_id: int) -> Actor:
    return Actor(user_id, "Ines", "i@example.org", frozenset({Role.INSTRUCTOR}))


def taken(session: Session, micros: int = 5000) -> AiCall:
    course = make_course(session)
    wish = Wish(CallPurpose.SUMMARY, micros, course.id)
    call_id = budget.take(session, course.instructor_id, wish)
    return session.get_one(AiCall, call_id)


def test_what_is_reserved_counts_until_it_is_settled_to_the_real_cost(session: Session) -> None:
    call = taken(session)
    assert spent(session, call) == 5000

    budget.settle(session, call.id, Bill("m", 10, 20, 1234), is_done=True)
    budget.settle(session, call.id, Bill("m", 10, 20, 9999), is_done=True)

    assert spent(session, call) == 1234
    assert (call.status, call.cost_micros, call.model) == (CallStatus.DONE, 1234, "m")


def test_a_call_that_failed_gives_everything_back(session: Session) -> None:
    call = taken(session)

    budget.settle(session, call.id, Bill(micros=0), is_done=False)

    assert spent(session, call) == 0
    assert call.status is CallStatus.FAILED


def test_over_the_months_cap_nothing_is_taken(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUMA_AI_MONTHLY_CENTS", "1")
    settings.cache_clear()
    call = taken(session, CENT - 10)
    wish = Wish(CallPurpose.SUMMARY, 11, call.course_id or 0)

    with pytest.raises(RuleBroken, match="used up"):
        budget.take(session, call.instructor_id, wish)

    assert spent(session, call) == CENT - 10


def test_a_call_whose_process_ended_counts_as_it_was_reserved(session: Session) -> None:
    call = taken(session)
    call.asked_at -= budget.LOST_AFTER * 2
    session.flush()

    budget.settle_lost(session)
    budget.settle(session, call.id, Bill("m", 1, 1, 1), is_done=True)

    assert call.status is CallStatus.LOST
    assert spent(session, call) == 5000


def test_of_many_at_once_none_goes_over_the_cap(
    fresh_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUMA_AI_MONTHLY_CENTS", "1")
    settings.cache_clear()
    with db.unit_of_work() as session:
        course = make_course(session)
        wish = Wish(CallPurpose.SUMMARY, CENT // 4, course.id)
    refused = []

    def take() -> None:
        try:
            with db.unit_of_work() as own:
                budget.take(own, course.instructor_id, wish)
        except RuleBroken as refusal:
            refused.append(refusal)

    threads = [threading.Thread(target=take) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with db.unit_of_work() as session:
        assert len(session.scalars(select(AiCall)).all()) == 4
        me = make_actor(session, course.instructor_id)
        assert budget.standing(session, me).spent_micros == CENT
    assert len(refused) == 8


def test_only_an_admin_sees_who_spent_what(session: Session) -> None:
    call = taken(session)
    budget.settle(session, call.id, Bill("m", 10, 20, 1234), is_done=True)
    admin = make_user(session, roles=(Role.ADMIN,))

    [line] = budget.spending(session, actor(admin))

    assert (line.calls, line.failed, line.prompt_tokens, line.micros) == (1, 0, 10, 1234)
    with pytest.raises(NotAllowed):
        budget.spending(session, actor(make_user(session)))


@pytest.mark.parametrize(
    ("micros", "words"),
    [
        (0, "0 cents"),
        (1, "0.01 cents"),
        (1234, "0.13 cents"),
        (CENT, "1 cent"),
        (12 * CENT, "12 cents"),
        (120 * CENT, "$1.20"),
        (500 * CENT, "$5.00"),
    ],
)
def test_a_cost_is_said_in_cents_and_never_as_less_than_it_is(micros: int, words: str) -> None:
    assert budget.in_cents(micros) == words


async def test_an_answer_is_settled_to_what_it_cost(session: Session, router: OpenRouter) -> None:
    call = taken(session)

    async for _ in asking.words(Call(call.id, QUESTION)):
        pass

    assert spent(session, call) == 400
    assert (call.prompt_tokens, call.completion_tokens) == (120, 40)


async def test_an_answer_that_broke_off_costs_what_it_cost(
    session: Session, router: OpenRouter
) -> None:
    call = taken(session)
    router.does({"kind": "cut", "cost": 0.0001})

    with pytest.raises(LumaError, match="broke off"):
        async for _ in asking.words(Call(call.id, QUESTION)):
            pass

    assert spent(session, call) == 100
    assert call.status is CallStatus.FAILED


async def test_who_stops_listening_has_it_settled_at_once(
    session: Session, router: OpenRouter
) -> None:
    call = taken(session)
    router.does({"kind": "stream", "pause": 0.05})
    words = asking.words(Call(call.id, QUESTION))

    await anext(words)
    await words.aclose()

    session.expire_all()
    assert call.status is CallStatus.FAILED
    assert 0 < spent(session, call) <= QUESTION.most_micros


async def test_json_of_the_wrong_shape_is_mended_once(session: Session, router: OpenRouter) -> None:
    call = taken(session)
    router.does(
        {"kind": "stream", "text": '{"number": "many"}'},
        {"kind": "stream", "text": '```json\n{"number": 3}\n```'},
    )

    found = await asking.read(Call(call.id, QUESTION), Count)

    assert found.number == 3
    assert spent(session, call) == 800
    assert "int_type" in router.asked[1]["body"]["messages"][1]["content"]


@pytest.mark.parametrize("text", ["no", '{"number": 3, "more": 1}', "[1]", '{"number": 3} and'])
async def test_json_that_stays_wrong_is_refused_and_paid(
    session: Session, router: OpenRouter, text: str
) -> None:
    call = taken(session)
    wrong: dict[str, object] = {"kind": "stream", "text": text}
    router.does(wrong, wrong)

    with pytest.raises(LumaError, match="not in the form"):
        await asking.read(Call(call.id, QUESTION), Count)

    assert len(router.asked) == 2
    assert spent(session, call) == 800
    assert call.status is CallStatus.FAILED


async def test_a_repair_that_breaks_off_is_paid_as_well(
    session: Session, router: OpenRouter
) -> None:
    call = taken(session)
    router.does({"kind": "stream", "text": "no"}, {"kind": "cut", "cost": 0.0001})

    with pytest.raises(LumaError, match="broke off"):
        await asking.read(Call(call.id, QUESTION), Count)

    assert spent(session, call) == 500
