"""What one HTTP request costs the server, in CPU time."""

import statistics
from dataclasses import dataclass

import httpx

from tests.bench import seed
from tests.bench.processes import Served

WARM, ROUNDS, EACH = 15, 5, 40


@dataclass(frozen=True, slots=True)
class Asked:
    """A page of one server, as somebody signed in or as nobody."""

    served: Served
    path: str
    email: str | None = None

    def browser(self) -> httpx.Client:
        cookies = {"luma": seed.token(self.email)} if self.email else {}
        return httpx.Client(base_url=self.served.url, cookies=cookies, timeout=30, trust_env=False)


def cpu_ms(*pages: Asked, each: int = EACH) -> list[float]:
    """Milliseconds of server and database for one GET of each, compressed as for a browser.

    Medians of rounds in turn, so that what else the machine does meets all of them alike.
    """
    spent: list[list[float]] = [[] for _ in pages]
    for turn in range(ROUNDS + 1):
        for page, rounds in zip(pages, spent, strict=True):
            cost = _round(page, each if turn else WARM)
            if turn:
                rounds.append(cost)
    return [statistics.median(rounds) for rounds in spent]


def _round(page: Asked, each: int) -> float:
    with page.browser() as visitor:
        visitor.get(page.path).raise_for_status()
        before = page.served.cpu()
        for _ in range(each):
            visitor.get(page.path).raise_for_status()
    return (page.served.cpu() - before) * 1000 / each
