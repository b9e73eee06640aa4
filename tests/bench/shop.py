"""The shop window: catalogue and course page."""

from collections.abc import Iterator

from playwright.sync_api import Browser

from tests.bench import hits, visits
from tests.bench.hits import Asked
from tests.bench.table import Row
from tests.bench.visits import Visit, Wanted
from tests.bench.world import World

PAGES = {"catalogue": "/", "course page": "/courses/course-6"}
RUNS = 5


def rows(world: World) -> Iterator[Row]:
    with visits.chromium() as browser:
        for name, path in PAGES.items():
            yield from _visited(world, browser, name, path)
    large = world.large()
    with world.serving(large) as luma, world.floor_over(large) as floor:
        for name, path in PAGES.items():
            servers = (world.luma(), luma, world.floor(), floor)
            few, many, floor_few, floor_many = hits.cpu_ms(*(Asked(one, path) for one in servers))
            what = f"{name}: HTML request, server CPU, 200 courses"
            yield Row(what, few, "ms", most=6, floor=floor_few)
            what = f"{name}: the same at 5,000 courses"
            yield Row(what, many / few, "×", most=1.3, floor=floor_many / floor_few)


def _visited(world: World, browser: Browser, name: str, path: str) -> Iterator[Row]:
    ours: list[Visit] = []
    floor: list[Visit] = []
    for _ in range(RUNS):
        for served, seen in ((world.luma(), ours), (world.floor(), floor)):
            with visits.tab(browser, served, Wanted("h1")) as tab:
                seen.append(tab.visit(path))
    for what, unit, most, of in (
        ("bytes without pictures", "KB", 60, lambda visit: visit.kilobytes),
        ("requests", "", 8, lambda visit: visit.requests),
        ("script", "KB", 15, lambda visit: visit.script_kilobytes),
        ("main thread", "ms", 80, lambda visit: visit.main_thread_ms),
        ("layout shift", "", 0, lambda visit: visit.shift),
    ):
        value, beneath = visits.median(ours, of), visits.median(floor, of)
        yield Row(f"{name}: first visit, {what}", value, unit, most=most, floor=beneath)
    readable = visits.is_readable_without_scripts(browser, world.luma(), path, "part 1")
    yield Row(f"{name}: readable with scripts off (1 is yes)", int(readable), least=1)
