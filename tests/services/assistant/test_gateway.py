"""OpenRouter in all its moods. Every failure is a sentence and has the right bill."""

import pytest

from luma.errors import LumaError, RuleBroken
from luma.services.gateways import ai
from luma.services.gateways.ai import Answer, Bill, Question
from luma.settings import settings
from tests.standins.openrouter import KEY, OpenRouter
from tests.standins.openrouter_server import SUMMARY

QUESTION = Question("Summarise.", "Flour and water.", 200)


async def ask(question: Question = QUESTION) -> tuple[str, Bill]:
    answer = Answer(question)
    text = "".join([piece async for piece in answer.pieces()])
    return text, await answer.bill()


async def refusal(question: Question = QUESTION) -> tuple[str, Bill]:
    answer = Answer(question)
    with pytest.raises(LumaError) as error:
        async for _ in answer.pieces():
            pass
    return str(error.value), await answer.bill()


async def test_an_answer_comes_in_pieces_and_ends_with_its_exact_bill(router: OpenRouter) -> None:
    answer = Answer(QUESTION)

    pieces = [piece async for piece in answer.pieces()]

    assert "".join(pieces) == SUMMARY
    assert len(pieces) > 5
    assert await answer.bill() == Bill("deepseek/deepseek-v4.1-flash", 120, 40, 400)


async def test_a_question_carries_no_tools_and_is_asked_of_nobody_dearer(
    router: OpenRouter,
) -> None:
    await ask()

    [asked] = router.asked
    assert asked["headers"]["Authorization"] == f"Bearer {KEY}"
    body = asked["body"]
    assert body["model"] == "deepseek/deepseek-v4.1-flash"
    assert body["max_tokens"] == 200
    assert "tools" not in body
    assert body["provider"]["max_price"] == {"prompt": 0.6, "completion": 2.4}
    assert body["provider"]["data_collection"] == "deny"
    assert [message["role"] for message in body["messages"]] == ["system", "user"]


async def test_a_busy_service_is_asked_again_after_the_time_it_asks_for(
    router: OpenRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("luma.services.gateways.ai.asyncio.sleep", wait)
    router.does({"kind": "status", "status": 429, "retry_after": 7})

    text, bill = await ask()

    assert (text, bill.micros) == (SUMMARY, 400)
    assert waits == [7.0]


async def test_who_asks_for_more_patience_than_a_person_has_is_not_waited_for(
    router: OpenRouter,
) -> None:
    router.does({"kind": "status", "status": 429, "retry_after": 30})

    said, _ = await refusal()

    assert "busy" in said
    assert len(router.asked) == 1


async def test_a_first_model_that_fails_twice_is_followed_by_the_other(
    router: OpenRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    router.does({"kind": "status", "status": 500, "retry_after": 0}, HTML_502)

    text, _ = await ask()

    assert text == SUMMARY
    models = [asked["body"]["model"] for asked in router.asked]
    main, other = settings().openrouter_model, settings().openrouter_fallback_model
    assert models == [main, main, other]


async def test_a_model_that_is_gone_is_followed_by_the_other_at_once(router: OpenRouter) -> None:
    router.does({"kind": "status", "status": 404})

    await ask()

    assert router.asked[1]["body"]["model"] == settings().openrouter_fallback_model
    assert len(router.asked) == 2


HTML_502: dict[str, object] = {"kind": "html", "status": 502}
FOREVER: dict[str, object] = {"kind": "status", "status": 429, "retry_after": 3600}
NOW: dict[str, object] = {"kind": "status", "status": 503, "retry_after": 0}
REFUSED: dict[str, object] = {"kind": "status", "status": 402}
NOTHING = "[]"


@pytest.mark.parametrize(
    ("behaviours", "sentence", "cost"),
    [
        (["stall"], "took too long", 400),
        (["silence"], "took too long", 0),
        (["cut"], "broke off", 400),
        ([{"kind": "cut", "politely": True}], "broke off", 400),
        (["error"], "broke off", 400),
        (["html"], "cannot read", 0),
        (["malformed"], "cannot read", 0),
        (["endless"], "cannot read", 0),
        ([{"kind": "raw", "lines": [NOTHING]}], "cannot read", 0),
        ([{"kind": "raw", "lines": ['{"choices": 5, "usage": 7, "id": {}}']}], "broke off", None),
        ([{"kind": "raw", "lines": ["[DONE]"]}], "broke off", 0),
        ([FOREVER], "busy", 0),
        ([NOW, NOW, NOW], "does not answer", 0),
        ([REFUSED], "key or credit", 0),
        ([{"kind": "status", "status": 302}], "cannot read", 0),
        ([{"kind": "status", "status": 404}] * 2, "does not offer", 0),
    ],
    ids=str,
)
async def test_every_trouble_is_a_sentence_with_the_right_cost(
    router: OpenRouter,
    monkeypatch: pytest.MonkeyPatch,
    behaviours: list[dict[str, object] | str],
    sentence: str,
    cost: int | None,
) -> None:
    monkeypatch.setattr(ai, "SILENCE", 0.3)
    monkeypatch.setattr(ai, "TOTAL", 2.0)
    router.does(*behaviours)

    said, bill = await refusal()

    assert sentence in said
    assert said.endswith((".", "school."))
    if cost is not None:
        assert bill.micros == cost


async def test_nobody_listening_is_a_sentence(
    router: OpenRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUMA_OPENROUTER_BASE_URL", "http://127.0.0.1:9")
    settings.cache_clear()

    said, bill = await refusal()

    assert "does not answer" in said
    assert bill.micros == 0


async def test_an_answer_that_never_stops_talking_ends_after_the_time_for_all_of_it(
    router: OpenRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ai, "TOTAL", 0.4)
    router.does({"kind": "stream", "text": "word " * 400, "pause": 0.05})

    said, bill = await refusal()

    assert "took too long" in said
    assert bill.micros is not None
    assert 0 < bill.micros <= QUESTION.most_micros


async def test_after_five_failures_nobody_is_asked_until_one_trial_works(
    router: OpenRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses = [1000.0]
    monkeypatch.setattr("luma.services.gateways.breaker.time.monotonic", lambda: pauses[0])
    monkeypatch.setattr("luma.services.gateways.ai.time.monotonic", lambda: pauses[0])
    router.does(*["html"] * 6)
    for _ in range(5):
        await refusal()

    assert "several times in a row" in (await refusal())[0]
    assert len(router.asked) == 5

    pauses[0] += 61
    assert "cannot read" in (await refusal())[0]
    assert "several times in a row" in (await refusal())[0]
    pauses[0] += 61
    assert (await ask())[0] == SUMMARY
    assert (await ask())[0] == SUMMARY


async def test_what_cannot_be_seen_is_taken_out_and_markup_stays_letters(
    router: OpenRouter,
) -> None:
    router.does(
        {"kind": "stream", "text": "a\x00b\u202ec\r\n<script>alert(1)</script>\u200b\x1b[2J"}
    )

    text, _ = await ask()

    assert text == "abc\n<script>alert(1)</script>[2J"


@pytest.mark.parametrize("cost", [-1, "free", None, True, 1e30, [], 101])
async def test_a_bill_that_makes_no_sense_is_estimated_instead(
    router: OpenRouter, cost: object
) -> None:
    router.does({"kind": "stream", "cost": cost})

    _, bill = await ask()

    assert bill.micros is not None
    assert 0 < bill.micros <= QUESTION.most_micros


async def test_a_bill_is_counted_without_fractions_getting_lost(router: OpenRouter) -> None:
    router.does({"kind": "stream", "cost": 0.00000001}, {"kind": "stream", "cost": 0.1234567})

    assert (await ask())[1].micros == 1
    assert (await ask())[1].micros == 123457


async def test_without_a_key_nobody_is_asked(
    router: OpenRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUMA_OPENROUTER_API_KEY", " ")
    settings.cache_clear()

    with pytest.raises(RuleBroken, match="No AI is set up"):
        await ask()

    assert router.asked == []
