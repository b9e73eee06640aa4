"""Money: how many events the webhook takes, and how soon a buyer sees what they paid for."""

import asyncio
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass

import aiohttp
from sqlalchemy import func, select

from luma.models.letter import Letter
from luma.models.order import Order
from luma.models.payment import Payment, StripeEvent
from luma.values import EventStatus, OrderStatus
from tests.bench import seed
from tests.bench.figures import percentile
from tests.bench.orders import Sold, secret, sold
from tests.bench.processes import Served
from tests.bench.table import Row
from tests.bench.world import World
from tests.selling import event_of_no_consequence, signature_at

RATE, SECONDS = 300, 30
"""Deliveries a second, of which half are doubles and 5 % are not to be believed."""
BAD = RATE * SECONDS // 20
EVENTS = (RATE * SECONDS - BAD) // 2
SALES = 500
"""Each is told of by two events, of its payment and of what that settled to. The other events are
of kinds that LUMA only keeps."""
BUYERS = 30
APPLIED_WITHIN = 60
AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Call:
    """What is posted, with the signature of that moment: right, of another secret, or too old."""

    body: str
    secret: str
    age: int = 0

    @property
    def is_good(self) -> bool:
        return self.secret == secret() and self.age == 0


@dataclass(frozen=True, slots=True)
class Delivery:
    seconds: float
    status: int
    is_good: bool


def rows(world: World) -> Iterator[Row]:
    luma = world.luma()
    with world.session() as session:
        sales = sold(session, SALES, first_buyer=0)
        waiting = sold(session, BUYERS, first_buyer=SALES)
    seen = asyncio.run(_watched(luma, waiting))
    yield Row("paid -> access on the buyer's open page, p95", percentile(seen, 95), "ms", most=1000)
    calls = _calls(sales)
    spent = luma.cpu()
    deliveries, took = asyncio.run(_delivered(luma, calls))
    yield Row(
        "webhook: deliveries a second for 30 s, half doubles, 5 % bad",
        len(deliveries) / took,
        "/s",
        least=0.98 * RATE,
    )
    times = [one.seconds * 1000 for one in deliveries]
    yield Row("webhook: answered, p95", percentile(times, 95), "ms", most=1000)
    wrong = sum(one.status != (200 if one.is_good else 400) for one in deliveries)
    yield Row("webhook: good ones refused, bad ones taken, and 5xx", wrong, most=0)
    yield from _applied(world)
    cost = (luma.cpu() - spent) * 1000 / len(calls)
    yield Row("webhook: server CPU for a delivery, a ninth of them of sales", cost, "ms")


def _calls(sales: list[Sold]) -> list[Call]:
    """In any order: each event twice, and among them what nobody of ours has signed."""
    bodies = [body for sale in sales for body in (sale.event(), sale.charge())]
    bodies += [event_of_no_consequence() for _ in range(EVENTS - len(bodies))]
    good = [Call(body, secret()) for body in bodies] * 2
    forged = [Call(event_of_no_consequence(), "whsec_of_somebody_else") for _ in range(BAD // 2)]
    stale = [Call(event_of_no_consequence(), secret(), age=3600) for _ in range(BAD - len(forged))]
    return sorted([*good, *forged, *stale], key=lambda _: secrets.randbits(32))


def _applied(world: World) -> Iterator[Row]:
    begun = time.monotonic()
    while _waiting(world) and time.monotonic() - begun < APPLIED_WITHIN:
        time.sleep(0.2)
    took = time.monotonic() - begun
    yield Row("webhook: the last event applied after", took, "s", most=APPLIED_WITHIN)
    left, buyers = _waiting(world), SALES + BUYERS
    with world.session() as session:
        paid = select(Order.id).where(Order.status == OrderStatus.PAID)
        settled = select(Payment.id).where(Payment.settled_minor.is_not(None))
        receipts = select(Letter.id).where(Letter.kind == "receipt")
        wanted = {
            select(StripeEvent.id): EVENTS + BUYERS,
            paid: buyers,
            settled: SALES,
            receipts: buyers,
        }
        off = sum(
            abs(number - (session.scalar(select(func.count()).select_from(of.subquery())) or 0))
            for of, number in wanted.items()
        )
    yield Row(
        "webhook: events lost or doubled, sales without access or receipt", left + off, most=0
    )


def _waiting(world: World) -> int:
    with world.session() as session:
        new = StripeEvent.status != EventStatus.DONE
        return session.scalar(select(func.count()).select_from(StripeEvent).where(new)) or 0


async def _delivered(served: Served, calls: list[Call]) -> tuple[list[Delivery], float]:
    """All of them, so many a second whatever the answers take; and how long it took."""
    begun = time.perf_counter()
    turns = asyncio.Semaphore(AT_ONCE)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as stripe:

        async def deliver(number: int, call: Call) -> Delivery:
            due = begun + number / RATE
            await asyncio.sleep(due - time.perf_counter())
            async with turns:
                status = await _post(stripe, served, call)
            return Delivery(time.perf_counter() - due, status, call.is_good)

        deliveries = await asyncio.gather(*(deliver(n, call) for n, call in enumerate(calls)))
    return list(deliveries), time.perf_counter() - begun


async def _post(stripe: aiohttp.ClientSession, served: Served, call: Call) -> int:
    payload, now = call.body.encode(), int(time.time())
    headers = {"Stripe-Signature": signature_at(payload, call.secret, now - call.age)}
    async with stripe.post(f"{served.url}/webhooks/stripe", data=payload, headers=headers) as said:
        return said.status


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
        assert await _post(web, served, Call(sale.event(), secret())) == 200
        async for line in changes.content:
            if line.startswith(b"data: "):
                break
        async with web.get(page, headers=cookie) as answer:
            assert "Payment received" in await answer.text()
    return (time.perf_counter() - begun) * 1000
