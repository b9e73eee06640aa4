"""The studio: an instructor's course open in the editor."""

import statistics
from collections.abc import Iterator

from playwright.sync_api import Page
from sqlalchemy import select

from luma.models.course import Course
from tests.bench import hits, seed, sockets, visits
from tests.bench.hits import Asked
from tests.bench.table import Row
from tests.bench.visits import Wanted
from tests.bench.world import World

MOVES = 20
TREE = Wanted("[role=tree] [role=treeitem]")
SHOWN = """() => new Promise((resolve) => {
  const tree = document.querySelector("[role=tree]");
  const begun = performance.now();
  const watcher = new MutationObserver(() => {
    watcher.disconnect();
    requestAnimationFrame(() => resolve(performance.now() - begun));
  });
  watcher.observe(tree, { childList: true, subtree: true });
})"""


def rows(world: World) -> Iterator[Row]:
    with world.session() as session:
        slugs = select(Course.slug, Course.public_id).where(Course.slug.in_(seed.SHAPES))
        ids = {slug: f"/studio/{course}" for slug, course in session.execute(slugs)}
    short, long = ids[seed.SHORT], ids[seed.LONG]
    luma = world.luma()
    few, many = hits.cpu_ms(*(Asked(luma, path, seed.TEACHER) for path in (short, long)), each=20)
    yield Row("studio: HTML request, server CPU, 60 lessons", few, "ms")
    yield Row("studio: the same with 600 lessons", many / few, "×", most=2)
    source = Asked(luma, short, seed.TEACHER).browser().get(short).text
    yield Row("studio: elements", len(sockets.read(source).elements), most=120)
    yield from _visited(world, long)


def _visited(world: World, path: str) -> Iterator[Row]:
    with (
        visits.chromium() as browser,
        visits.tab(browser, world.luma(), TREE, seed.TEACHER) as tab,
    ):
        first, again = tab.visit(path), tab.visit(path)
        yield Row("studio, 600 lessons: first visit, bytes", first.kilobytes, "KB")
        yield Row("studio, 600 lessons: repeat visit, bytes", again.kilobytes, "KB")
        tab.page.locator("[role=treeitem][aria-level='2']").nth(3).click()
        tab.page.wait_for_timeout(1000)
        moved, spent = _moved(tab.page), tab.served.cpu()
        shown = [next(moved) for _ in range(MOVES)]
        tab.page.wait_for_timeout(500)
        cost = (tab.served.cpu() - spent) * 1000 / MOVES
        yield Row("studio, 600 lessons: keyboard move, server CPU", cost, "ms", most=100)
        yield Row(
            "studio, 600 lessons: keyboard move shown", statistics.median(shown), "ms", most=100
        )


def _moved(page: Page) -> Iterator[float]:
    """Move the lesson that has the focus down and up; milliseconds until the tree shows it."""
    while True:
        for key in ("Alt+ArrowDown", "Alt+ArrowUp"):
            page.evaluate("(watch) => { window.benchShown = eval(watch)(); }", SHOWN)
            page.keyboard.press(key)
            yield float(page.evaluate("window.benchShown"))
            page.wait_for_timeout(150)
