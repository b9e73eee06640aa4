"""The classroom: coming in, coming back, going on to the next lesson, and long courses."""

import asyncio
import statistics
from collections.abc import Iterator

from playwright.sync_api import Browser

from tests.bench import hits, seed, sockets, visits
from tests.bench.hits import Asked
from tests.bench.processes import Served
from tests.bench.table import Row
from tests.bench.visits import Visit, Wanted
from tests.bench.world import World

RUNS, CLICKS, SWAPS = 9, 8, 200
NEXT = "main a.button:last-of-type"
ANNA = seed.student(0)


def rows(world: World) -> Iterator[Row]:
    with world.session() as session:
        here, there = seed.first_lesson(session, seed.SHORT)
        long, _ = seed.first_lesson(session, seed.LONG)
    with visits.chromium() as browser:
        yield from _visited(world, browser, here)
        yield _gone_on(world, browser, here, there)
    cost = asyncio.run(_swapped(world.luma(), here, there))
    yield Row("classroom: next lesson, server CPU", cost, "ms", most=8)
    yield from _requested(world, here, long)


def _visited(world: World, browser: Browser, path: str) -> Iterator[Row]:
    first: list[Visit] = []
    again: list[Visit] = []
    floor: list[Visit] = []
    for _ in range(RUNS):
        with visits.tab(browser, world.luma(), _text(path), ANNA) as tab:
            first.append(tab.visit(path))
            again.append(tab.visit(path))
        with visits.tab(browser, world.floor(), _text(path), ANNA) as tab:
            floor.append(tab.visit(path))
    for what, unit, most, of in (
        ("bytes", "KB", 320, lambda visit: visit.kilobytes),
        ("requests", "", 14, lambda visit: visit.requests),
        ("server CPU, all of it", "ms", 60, lambda visit: visit.server_ms),
        ("main thread", "ms", 170, lambda visit: visit.main_thread_ms),
    ):
        value, beneath = visits.median(first, of), visits.median(floor, of)
        yield Row(f"classroom: first visit, {what}", value, unit, most=most, floor=beneath)
    what = "classroom: lesson text visible, against the floor"
    yield Row(what, _against(first, floor), "×", most=2)
    value = visits.median(again, lambda visit: visit.kilobytes)
    yield Row("classroom: repeat visit, bytes", value, "KB", most=12)
    value = visits.median(again, lambda visit: visit.requests)
    yield Row("classroom: repeat visit, requests", value, most=3)
    shift = visits.median(first, lambda visit: visit.shift)
    yield Row("classroom: first visit, layout shift", shift, most=0)


def _gone_on(world: World, browser: Browser, here: str, there: str) -> Row:
    swaps, loads = [], []
    for _ in range(CLICKS):
        with visits.tab(browser, world.luma(), _text(here), ANNA) as tab:
            tab.visit(here)
            swaps.append(tab.click(NEXT, _text(there)))
        with visits.tab(browser, world.floor(), _text(there), ANNA) as tab:
            loads.append(tab.visit(there).visible_ms)
    ratio = min(swaps) / min(loads)
    return Row("classroom: next lesson shown, against the floor's page load", ratio, "×", most=0.6)


def _requested(world: World, here: str, long: str) -> Iterator[Row]:
    luma, floor = world.luma(), world.floor()
    short, many, floor_short, floor_many = hits.cpu_ms(
        Asked(luma, here, ANNA), Asked(luma, long, ANNA),
        Asked(floor, here, ANNA), Asked(floor, long, ANNA),
    )  # fmt: skip
    what = "classroom: HTML request, server CPU"
    yield Row(what, short, "ms", most=12, floor=floor_short)
    what = "classroom: the same with 600 lessons against 60"
    yield Row(what, many / short, "×", most=2, floor=floor_many / floor_short)
    source = Asked(luma, here, ANNA).browser().get(here).text
    elements = len(sockets.read(source).elements)
    yield Row("classroom: elements", elements, most=60)


async def _swapped(served: Served, here: str, there: str) -> float:
    """Milliseconds of server CPU for one lesson swapped in."""
    student = await sockets.entered(served, here, ANNA)
    lessons = [path.rpartition("/")[2] for path in (here, there)]
    before = 0.0
    for turn in range(SWAPS + 20):
        if turn == 20:
            before = served.cpu()
        await student.goes_to(lessons[turn % 2], turn)
    spent = served.cpu() - before
    await student.socket.close()
    return spent * 1000 / SWAPS


def _against(seen: list[Visit], floor: list[Visit]) -> float:
    """How much longer it takes. Each visit is held against the one that followed it at once, for
    the best of a few is luck where both take a tenth of a second."""
    pairs = zip(seen, floor, strict=True)
    return statistics.median(one.visible_ms / other.visible_ms for one, other in pairs)


def _text(path: str) -> Wanted:
    return Wanted(".prose", f"Text of {path.rpartition('/')[2]}.")
