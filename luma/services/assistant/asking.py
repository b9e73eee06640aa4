"""One question to the AI: no session is open while it waits, and its cost is always settled."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from luma.bridge import perform
from luma.services.assistant import budget
from luma.services.gateways.ai import AiRefused, Answer, Bill, Question

Shape = TypeVar("Shape", bound=BaseModel)

NOT_IN_FORM = "The AI's answer was not in the form LUMA asked for. Nothing was used; try again."


@dataclass(frozen=True, slots=True)
class Call:
    """A question whose cost has been reserved under `id`."""

    id: int
    question: Question


async def words(call: Call) -> AsyncGenerator[str, None]:
    """The answer as it comes. Close it when you stop early: then it is settled at once."""
    answer, is_done = Answer(call.question), False
    try:
        async with aclosing(answer.pieces()) as pieces:
            async for piece in pieces:
                yield piece
        is_done = True
    finally:
        await _settle(call, await answer.bill(), is_done=is_done)


async def read(call: Call, shape: type[Shape]) -> Shape:
    """A JSON answer of this shape, with one attempt to have it mended. Raises AiRefused."""
    answers: list[Answer] = []
    found: Shape | None = None
    try:
        found, problem = _read(await _whole(call.question, answers), shape)
        if found is None:
            found, _ = _read(await _whole(_repair(call.question, problem), answers), shape)
    finally:
        bills = [await answer.bill() for answer in answers]
        await _settle(call, sum(bills, Bill(micros=0)), is_done=found is not None)
    if found is None:
        raise AiRefused(NOT_IN_FORM)
    return found


def most_micros(question: Question, *, may_be_repaired: bool) -> int:
    """What is reserved: the most it can cost, with the second attempt that JSON may need."""
    once = question.most_micros
    return once + _repair(question, " " * 2000).most_micros if may_be_repaired else once


async def _whole(question: Question, answers: list[Answer]) -> str:
    answer = Answer(question)
    answers.append(answer)
    async with aclosing(answer.pieces()) as pieces:
        return "".join([piece async for piece in pieces])


def _read(text: str, shape: type[Shape]) -> tuple[Shape | None, str]:
    try:
        return shape.model_validate_json(_unfenced(text)), ""
    except ValidationError as error:
        places = [{"at": one["loc"], "problem": one["type"]} for one in error.errors()[:10]]
        return None, json.dumps(places, default=str)


def _unfenced(text: str) -> str:
    """Models like to put JSON into a code block."""
    plain = text.strip()
    if plain.startswith("```") and plain.endswith("```"):
        return plain.removesuffix("```").partition("\n")[2]
    return plain


def _repair(question: Question, problem: str) -> Question:
    """The whole question again, with what was wrong and without the wrong answer."""
    told = (
        f"{question.text}\n\nYour first answer did not fit the schema: {problem}\n"
        "Answer again with one JSON object of that schema and nothing else."
    )
    return replace(question, text=told)


async def _settle(call: Call, bill: Bill, *, is_done: bool) -> None:
    await perform(budget.settle, call.id, bill, is_done=is_done)
