"""OpenRouter: an answer of a language model, streamed, bounded, with what it cost."""

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache

import httpx

from luma.errors import RuleBroken
from luma.services import clock
from luma.services.gateways.ai_wire import (
    TOO_SLOW,
    UNREADABLE,
    AiDown,
    AiRefused,
    Bill,
    Reading,
    bill_of,
    json_of,
)
from luma.services.gateways.breaker import Breaker
from luma.settings import settings

__all__ = ["AiDown", "AiRefused", "Answer", "Bill", "Question", "ensure_set_up", "is_set_up"]

log = logging.getLogger(__name__)

CONNECT = 5.0
SILENCE = 25.0
TOTAL = 60.0
LOOK_UP = 5.0
LONGEST_WAIT = 10.0
"""Who asks for more patience than this is not waited for."""

OFF = "No AI is set up at this school. What does not need it works all the same."
DOWN = "The AI service does not answer. Try again in a minute."
BUSY = "The AI service is busy. Try again in a minute."
PAUSED = "The AI service failed several times in a row. Try again in a minute."
KEY = "The AI service does not accept this school's key or credit. Tell whoever runs the school."
NO_MODEL = "The AI service does not offer this school's model. Tell whoever runs the school."

breaker = Breaker()


@dataclass(frozen=True, slots=True)
class Question:
    """`system` is ours; `text` holds what strangers wrote. With `shape`, a JSON schema, the
    answer is to be JSON of that form; without, it is plain text."""

    system: str
    text: str
    most_tokens: int
    shape: Mapping[str, object] | None = None

    @property
    def prompt_tokens(self) -> int:
        """More than it will be, in any language: a token has three bytes or more."""
        size = len(self.system.encode()) + len(self.text.encode()) + len(str(self.shape or ""))
        return size // 3 + 50

    @property
    def most_micros(self) -> int:
        """The most that one answer can cost, at the dearest price that is paid."""
        return micros(self.prompt_tokens, self.most_tokens)


class _Again(Exception):
    def __init__(self, refusal: AiDown | AiRefused, wait: float, *, other: bool = False) -> None:
        self.refusal = refusal
        self.wait = wait
        self.needs_other_model = other


class Answer:
    """Ask once. Iterate over `pieces()`; afterwards, or after a failure, ask for the `bill()`."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._reading: Reading | None = None

    async def pieces(self) -> AsyncGenerator[str, None]:
        """The words as they come. Raises AiDown or AiRefused; then none of them is to be kept."""
        ensure_set_up()
        if not breaker.lets_through():
            raise AiDown(PAUSED)
        try:
            async with aclosing(self._tried()) as tried:
                async for piece in tried:
                    yield piece
        except AiDown:
            breaker.failed()
            raise
        breaker.worked()

    async def bill(self) -> Bill:
        """What it cost, also when it broke off: then the service is asked once, briefly."""
        reading = self._reading
        if reading is None:
            return Bill(micros=0)
        if reading.bill.micros is not None:
            return reading.bill
        looked_up = await _looked_up(reading.id) if reading.id else Bill()
        if looked_up.micros is not None:
            return looked_up
        if not reading.id:
            return Bill(reading.bill.model, micros=0)
        tokens = self._question.prompt_tokens, min(reading.said, self._question.most_tokens)
        return Bill(reading.bill.model, *tokens, micros(*tokens))

    async def _tried(self) -> AsyncGenerator[str, None]:
        until = time.monotonic() + TOTAL
        models = _models()
        while True:
            try:
                async with _opened(self._question, models[0], until) as response:
                    self._reading = Reading(models[0])
                    async with aclosing(self._reading.pieces(response, until)) as pieces:
                        async for piece in pieces:
                            yield piece
                return
            except _Again as again:
                models = _others(models) if again.needs_other_model else models[1:]
                if not models or time.monotonic() + again.wait > until:
                    raise again.refusal from again
                await asyncio.sleep(again.wait)


def is_set_up() -> bool:
    key = settings().openrouter_api_key
    has_key = key is not None and bool(key.get_secret_value().strip())
    return has_key and settings().ai_monthly_cents > 0


def ensure_set_up() -> None:
    if not is_set_up():
        raise RuleBroken(OFF)


def micros(prompt_tokens: int, completion_tokens: int) -> int:
    """Millionths of a dollar at the dearest price that is paid, rounded up."""
    rate_in, rate_out = settings().ai_input_cents, settings().ai_output_cents
    return -(-(prompt_tokens * rate_in + completion_tokens * rate_out) // 100)


@asynccontextmanager
async def _opened(question: Question, model: str, until: float) -> AsyncIterator[httpx.Response]:
    """An answer that has begun. Raises _Again for what another try may mend."""
    left = until - time.monotonic()
    patience = httpx.Timeout(min(SILENCE, left), connect=min(CONNECT, left))
    async with httpx.AsyncClient(verify=_tls(), timeout=patience) as client:
        request = client.build_request(
            "POST", f"{_base()}/chat/completions", json=_body(question, model), headers=_headers()
        )
        try:
            response = await asyncio.wait_for(client.send(request, stream=True), left)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise _Again(AiDown(DOWN), 0.5) from error
        except (TimeoutError, httpx.TimeoutException) as error:
            raise AiDown(TOO_SLOW) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise AiDown(DOWN) from error
        try:
            _ensure_answered(response)
            yield response
        finally:
            await response.aclose()


def _ensure_answered(response: httpx.Response) -> None:
    status = response.status_code
    if status == 200:
        return
    log.warning("the AI service did not answer a question", extra={"status": status})
    if status == 429 or status >= 500:
        wait = _wait(response.headers.get("retry-after"))
        refusal = AiDown(BUSY if status == 429 else DOWN)
        raise _Again(refusal, wait)
    if status in {401, 402, 403}:
        raise AiRefused(KEY)
    if status in {400, 404, 408, 413, 422}:
        raise _Again(AiRefused(NO_MODEL), 0, other=True)
    raise AiDown(UNREADABLE)


def _wait(header: str | None) -> float:
    """Seconds, as asked for; more than LONGEST_WAIT becomes for ever."""
    wait = 1.0
    if header is not None:
        wait = _seconds(header.strip())
    return wait if wait <= LONGEST_WAIT else float("inf")


def _seconds(header: str) -> float:
    if header.isascii() and header.isdigit():
        return float(header[:9])
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return 1.0
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - clock.now()).total_seconds())


def _body(question: Question, model: str) -> dict[str, object]:
    """No tools, no thinking aloud, nobody dearer than agreed, nobody who keeps what is sent."""
    dearest = {
        "prompt": settings().ai_input_cents / 100,
        "completion": settings().ai_output_cents / 100,
    }
    body: dict[str, object] = {
        "model": model,
        "messages": [
            {"role": "system", "content": question.system},
            {"role": "user", "content": question.text},
        ],
        "max_tokens": question.most_tokens,
        "temperature": 0.2,
        "stream": True,
        "reasoning": {"enabled": False},
        "provider": {"data_collection": "deny", "max_price": dearest},
    }
    if question.shape is not None:
        schema = {"name": "answer", "strict": True, "schema": question.shape}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return body


async def _looked_up(generation: str) -> Bill:
    """Never raises: a bill that cannot be had is estimated."""
    try:
        async with httpx.AsyncClient(verify=_tls(), timeout=LOOK_UP) as client:
            asked = {"id": generation}
            answer = await client.get(f"{_base()}/generation", params=asked, headers=_headers())
        return bill_of(json_of(answer.content)) if answer.status_code == 200 else Bill()
    except (httpx.HTTPError, AiDown):
        return Bill()


def _models() -> list[str]:
    """The first twice, then the other."""
    main, other = settings().openrouter_model, settings().openrouter_fallback_model
    return [main, main, *([other] if other and other != main else [])]


def _others(models: list[str]) -> list[str]:
    return [model for model in models if model != models[0]]


def _base() -> str:
    return settings().openrouter_base_url.rstrip("/")


def _headers() -> dict[str, str]:
    key = settings().openrouter_api_key
    token = key.get_secret_value().strip() if key else ""
    return {
        "Authorization": f"Bearer {token}",
        "Accept-Encoding": "identity",
        "X-Title": "LUMA",
    }


@lru_cache
def _tls() -> ssl.SSLContext:
    """Read once: it takes longer than the question."""
    return httpx.create_ssl_context()
