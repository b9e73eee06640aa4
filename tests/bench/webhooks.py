"""Money: how many events the webhook takes, and how soon a buyer sees what they paid for."""

import asyncio
import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass

import aiohttp
from sqlalchemy import func, select

from luma.models.order import Order
from luma.models.payment import StripeEvent
from luma.services.gateways import signatures
from luma.values import EventStatus, OrderStatus
from tests.bench import seed
from tests.bench.figures import percentile
from tests.bench.orders import Sold, secret, sold
from tests.bench.processes import Served
from tests.bench.table import Row
from tests.bench.world import World

RATE, SECONDS = 300, 10
SALES = 300
"""Among the events of the sustained load; the others are of kinds that LUMA only keeps."""
BUYERS = 30
APPLIED_WITHIN = 60
AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Delivery:
    seconds: float
    is_taken: bool


def rows(world: World) -> Iterator[Row]:
    luma = world.luma()
    with world.session() as session:
        sales = sold(session, SALES, first_buyer=0)
        waiting = sold(session, BUYERS, first_buyer=SALES)
    seen = asyncio.run(_watched(luma, waiting))
    yield Row("paid -> access on the buyer's open page, p95", percentile(seen, 95), "ms", most=1000)
    bodies = [*(sale.event() for sale in sales), *(_other() for _ in range(RATE * SECONDS - SALES))]
    bodies.sort(key=lambda _: secrets.randbits(32))
    spent = luma.cpu()
    deliveries, took = asyncio.run(_delivered(luma, bodies))
    taken = sum(one.is_taken for one in deliveries)
    yield Row("webhook: deliveries a second, sustained", taken / took, "/s", least=0.98 * RATE)
    times = [one.seconds * 1000 for one in deliveries]
    yield Row("webhook: answered, p95", percentile(times, 95), "ms", most=1000)
    yield from _applied(world, taken)
    cost = (luma.cpu() - spent) * 1000 / len(bodies)
    yield Row("webhook: server CPU for a delivery, a tenth of them sales", cost, "ms")


def _applied(world: World, taken: int) -> Iterator[Row]:
    begun = time.monotonic()
    while (left := _waiting(world)) and time.monotonic() - begun < APPLIED_WITHIN:
        time.sleep(0.2)
    took = time.monotonic() - begun
    yield Row("webhook: the last event applied after", took, "s", most=APPLIED_WITHIN)
    with world.session() as session:
        kept = session.scalar(select(func.count()).select_from(StripeEvent)) or 0
        paid = select(func.count()).select_from(Order).where(Order.status == OrderStatus.PAID)
        lost = taken + BUYERS - kept + SALES + BUYERS - (session.scalar(paid) or 0)
    yield Row("webhook: events lost, or paid orders without access", lost + left, most=0)


def _waiting(world: World) -> int:
    with world.session() as session:
        new = StripeEvent.status != EventStatus.DONE
        return session.scalar(select(func.count()).select_from(StripeEvent).where(new)) or 0


async def _delivered(served: Served, bodies: list[str]) -> tuple[list[Delivery], float]:
    """All of them, so many a second whatever the answers take; and how long it took."""
    begun = time.perf_counter()
    turns = asyncio.Semaphore(AT_ONCE)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as stripe:

        async def deliver(number: int, body: str) -> Delivery:
            due = begun + number / RATE
            await asyncio.sleep(due - time.perf_counter())
            async with turns:
                is_taken = await _post(stripe, served, body)
            return Delivery(time.perf_counter() - due, is_taken)

        deliveries = await asyncio.gather(*(deliver(n, body) for n, body in enumerate(bodies)))
    return list(deliveries), time.perf_counter() - begun


async def _post(stripe: aiohttp.ClientSession, served: Served, body: str) -> bool:
    payload = body.encode()
    headers = {"Stripe-Signature": signatures.sign(payload, secret())}
    url = f"{served.url}/webhooks/stripe"
    async with stripe.post(url, data=payload, headers=headers) as answer:
        return answer.status == 200


async def _watched(served: Served, sales: list[Sold]) -> list[float]:
    """For each sale: milliseconds from the event's sending to the page that opens the course."""
    async with aiohttp.ClientSession() as web:
        return [await _one_watched(web, served, sale) for sale in sales]


async def _one_watched(web: aiohttp.ClientSession, served: Served, sale: Sold) -> float:
    page = f"{served.url}/checkout/{sale.order}"
    cookie = {"Cookie": f"luma={seed.token(sale.buyer)}"}
    async with asyncio.timeout(30), web.get(f"{page}/events", headers=cookie) as changes:
        await changes.content.readline()
        begun = time.perf_counter()
        await _post(web, served, sale.event())
        async for line in changes.content:
            if line.strip() == b"data: paid":
                break
        async with web.get(page, headers=cookie) as answer:
            assert "Payment received" in await answer.text()
    return (time.perf_counter() - begun) * 1000


def _other() -> str:
    """An event that LUMA keeps and does nothing about."""
    event = {
        "id": f"evt_sbx_{secrets.token_hex(12)}",
        "object": "event",
        "api_version": None,
        "created": int(time.time()),
        "data": {"object": {"id": "in_1", "object": "invoice", "lines": "x" * 1500}},
        "livemode": False,
        "type": "invoice.updated",
    }
    return json.dumps(event)
