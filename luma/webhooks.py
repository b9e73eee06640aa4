"""Routes for machines: Stripe, the sandbox in its place, and Clerk."""

import asyncio
import contextlib
import logging

from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from luma.bridge import perform
from luma.errors import LumaError, RuleBroken, ServiceDown, TooLarge, TooSlow
from luma.services import gateways, identity_inbox
from luma.services.gateways import clerk
from luma.services.gateways.protocol import Door, GatewayEvent, Unverified
from luma.services.money import inbox, refusals

router = APIRouter(prefix="/webhooks", include_in_schema=False)

log = logging.getLogger(__name__)

Arrival = tuple[GatewayEvent, asyncio.Future[None]]

MOST_BYTES = 2**20
MOST_WAITING = 5000
AT_ONCE = 500
BODY_WITHIN = 10.0
"""Seconds. A caller who trickles holds a socket that long, and nothing else."""


@router.post("/stripe")
@router.post("/stripe/platform")
async def stripe_webhook(request: Request) -> Response:
    return await _received(request, Door.PLATFORM)


@router.post("/stripe/connect")
async def connect_webhook(request: Request) -> Response:
    return await _received(request, Door.CONNECT)


@router.post("/stripe/thin")
async def thin_webhook(request: Request) -> Response:
    return await _received(request, Door.THIN)


async def _received(request: Request, door: Door) -> Response:
    """200 once the event is stored, new or not. Any other answer makes Stripe deliver again."""
    try:
        payload = await _capped_body(request)
        signature = request.headers.get("Stripe-Signature", "")
        await _arrivals.keep(gateways.current().verified(payload, signature, door))
    except ClientDisconnect:
        return Response(status_code=400)
    except LumaError as refusal:
        if isinstance(refusal, Unverified):
            _refusals.note(refusal)
        return _refused(refusal)
    return Response(status_code=200)


@router.post("/clerk")
async def clerk_webhook(request: Request) -> Response:
    """The same for what Clerk tells about its users, who are few: one commit each."""
    try:
        event = clerk.verified(await _capped_body(request), request.headers)
        await perform(identity_inbox.receive, event)
    except ClientDisconnect:
        return Response(status_code=400)
    except LumaError as refusal:
        return _refused(refusal)
    return Response(status_code=200)


class _Refusals:
    """What was refused is counted while nobody waits for it, one write at a time."""

    def __init__(self) -> None:
        self._waiting: list[Unverified] = []
        self._storing: asyncio.Task[None] | None = None

    def note(self, refusal: Unverified) -> None:
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(refusal)
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store())

    async def _store(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            with contextlib.suppress(LumaError):
                await perform(refusals.note, batch)


_refusals = _Refusals()


class _Arrivals:
    """What arrives while one transaction commits goes together into the next.

    Alone an event waits for nobody; hundreds a second share a commit and a job.
    """

    def __init__(self) -> None:
        self._waiting: list[Arrival] = []
        self._storing: asyncio.Task[None] | None = None

    async def keep(self, event: GatewayEvent) -> None:
        """Returns once the event is committed. Raises ServiceDown when it could not be."""
        if len(self._waiting) >= MOST_WAITING:
            raise ServiceDown("Too many events at once. Deliver this one again later.")
        stored = asyncio.get_running_loop().create_future()
        self._waiting.append((event, stored))
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store_all())
        await stored

    async def _store_all(self) -> None:
        """One that cannot be stored must not keep out those it came with: then each goes alone."""
        while self._waiting:
            batch, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            failure = await _store(batch)
            if failure is None or isinstance(failure, ServiceDown) or len(batch) == 1:
                _answer(batch, failure)
                continue
            for one in batch:
                _answer([one], await _store([one]))


_arrivals = _Arrivals()


async def _store(batch: list[Arrival]) -> Exception | None:
    """A table that somebody holds is waited out by whoever delivers, too."""
    try:
        await perform(inbox.receive, [event for event, _ in batch])
    except RuleBroken as busy:
        return ServiceDown(str(busy))
    except Exception as failure:
        return failure
    return None


def _answer(batch: list[Arrival], failure: Exception | None) -> None:
    """Whoever has hung up meanwhile hears nothing."""
    for _, stored in batch:
        if stored.done():
            continue
        if failure is None:
            stored.set_result(None)
        else:
            stored.set_exception(failure)


def _refused(refusal: LumaError) -> Response:
    log.warning("an event was refused", extra={"why": str(refusal)})
    again = {"Retry-After": "30"} if isinstance(refusal, ServiceDown) else None
    return Response(str(refusal), refusal.status, again, "text/plain")


async def _capped_body(request: Request) -> bytes:
    """Read no more than is allowed, whatever Content-Length says. Raises TooLarge, TooSlow."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise TooLarge("An event has at most 1 MB.")
    except TimeoutError:
        raise TooSlow("The event took too long to arrive.") from None
    return bytes(body)
