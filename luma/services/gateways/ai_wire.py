"""What OpenRouter says, read with suspicion: server-sent events, pieces of text, the bill."""

import asyncio
import json
import time
import unicodedata
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal

import httpx

from luma.errors import ServiceDown

MOST_BYTES = 2_000_000
MOST_MICROS = 100_000_000
"""No single answer costs a hundred dollars: what says so is not believed."""

BROKE_OFF = "The AI's answer broke off. Nothing of it was kept; try again."
TOO_SLOW = "The AI took too long. Nothing of it was kept; try again in a minute."
UNREADABLE = "The AI service answered something LUMA cannot read. Try again in a minute."


class AiDown(ServiceDown):
    """The service failed, whatever was asked."""


class AiRefused(ServiceDown):
    """The service answered, and the answer is no use; asking at once again is pointless."""


@dataclass(frozen=True, slots=True)
class Bill:
    """What an answer cost in millionths of a dollar; None while the service has not said."""

    model: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    micros: int | None = None

    def __add__(self, other: "Bill") -> "Bill":
        return Bill(
            other.model or self.model,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            (self.micros or 0) + (other.micros or 0),
        )


class Reading:
    """One answer as it comes in. `bill` grows with it."""

    def __init__(self, model: str) -> None:
        self.id = ""
        self.bill = Bill(model)
        self.said = 0
        self._is_whole = False

    async def pieces(self, response: httpx.Response, until: float) -> AsyncGenerator[str, None]:
        """Raises AiDown when it stalls, breaks off or is not what was agreed."""
        if "text/event-stream" not in response.headers.get("content-type", ""):
            raise AiDown(UNREADABLE)
        async with aclosing(_lines(response, until)) as lines:
            async for line in lines:
                if piece := self._hear(line):
                    self.said += len(piece)
                    yield piece
        if not self._is_whole:
            raise AiDown(BROKE_OFF)

    def _hear(self, line: str) -> str:
        if not line.startswith("data:"):
            return ""
        event = line.removeprefix("data:").strip()
        if event == "[DONE]":
            return ""
        told = _json(event)
        if told.get("error"):
            raise AiDown(BROKE_OFF if self.said else UNREADABLE)
        self.id = str(told.get("id") or self.id)[:100]
        self.bill = _with_usage(self.bill, told)
        return self._piece(told.get("choices"))

    def _piece(self, choices: object) -> str:
        match choices:
            case [dict(choice), *_]:
                reason = choice.get("finish_reason")
                if reason == "error":
                    raise AiDown(BROKE_OFF)
                self._is_whole = self._is_whole or isinstance(reason, str)
                delta = choice.get("delta")
                content = delta.get("content") if isinstance(delta, dict) else None
                return printable(content) if isinstance(content, str) else ""
        return ""


def printable(text: str) -> str:
    """Without what cannot be seen: control characters, half characters, direction marks."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(sign for sign in plain if sign in "\n\t" or unicodedata.category(sign)[0] != "C")


def bill_of(told: object) -> Bill:
    """Out of the answer to `/generation`, which knows what an answer cost that broke off."""
    data = told.get("data") if isinstance(told, dict) else None
    if not isinstance(data, dict):
        return Bill()
    return Bill(
        str(data.get("model", ""))[:100],
        _count(data.get("tokens_prompt")),
        _count(data.get("tokens_completion")),
        _micros(data.get("total_cost")),
    )


def json_of(content: bytes) -> object:
    """Fractions stay exact. Raises AiDown for what is no JSON."""
    try:
        return json.loads(content, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise AiDown(UNREADABLE) from error


async def _lines(response: httpx.Response, until: float) -> AsyncGenerator[str, None]:
    """Cut at line ends, however the bytes arrive; bounded in time and in size."""
    rest, size = b"", 0
    source = response.aiter_bytes()
    while True:
        try:
            chunk = await asyncio.wait_for(anext(source), max(0, until - time.monotonic()))
        except StopAsyncIteration:
            return
        except (TimeoutError, httpx.TimeoutException) as error:
            raise AiDown(TOO_SLOW) from error
        except httpx.HTTPError as error:
            raise AiDown(BROKE_OFF) from error
        size += len(chunk)
        if size > MOST_BYTES:
            raise AiDown(UNREADABLE)
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace").rstrip("\r")


def _json(event: str) -> dict[str, object]:
    told = json_of(event.encode())
    if not isinstance(told, dict):
        raise AiDown(UNREADABLE)
    return told


def _with_usage(bill: Bill, told: dict[str, object]) -> Bill:
    model = told.get("model")
    if isinstance(model, str) and model:
        bill = replace(bill, model=printable(model)[:100])
    usage = told.get("usage")
    if not isinstance(usage, dict):
        return bill
    return replace(
        bill,
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        micros=_micros(usage.get("cost")),
    )


def _count(said: object) -> int:
    return said if type(said) is int and 0 <= said <= 10**9 else 0


def _micros(said: object) -> int | None:
    """Dollars into millionths, rounded up. What is no sensible amount is unknown."""
    if isinstance(said, bool) or not isinstance(said, int | Decimal):
        return None
    cost = Decimal(said)
    if not cost.is_finite() or not 0 <= cost <= MOST_MICROS // 1_000_000:
        return None
    return int((cost * 1_000_000).to_integral_value(ROUND_CEILING))
