"""Deliveries to a real server with its worker: many at once, and while it is being killed."""

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from luma import db
from luma.models.payment import Payment, StripeEvent
from luma.models.progress import Enrolment
from luma.services.gateways import signatures
from luma.services.gateways.protocol import GatewayEvent
from luma.services.money import inbox
from luma.settings import settings
from luma.values import EventStatus
from tests.selling import open_sale, signed

PATIENCE = 60


@dataclass
class Server:
    url: str
    process: subprocess.Popen[str]

    def post(self, body: str) -> int:
        """The status, or 0 when nobody answers: Stripe would come again."""
        headers = {"Stripe-Signature": signed(body)}
        try:
            answer = httpx.post(
                f"{self.url}/webhooks/stripe",
                content=body,
                headers=headers,
                timeout=PATIENCE,
                trust_env=False,
            )
        except httpx.HTTPError:
            return 0
        return answer.status_code

    def kill(self) -> None:
        """Without a warning. A process that is gone already is left alone."""
        self.process.kill()
        self.process.wait(10)


@contextmanager
def started() -> Iterator[Server]:
    """On the database of the test. Killed at the end if it is still there."""
    command = [sys.executable, "-m", "tests.browser.serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        server = Server(f"http://127.0.0.1:{process.stdout.readline().strip()}", process)
        try:
            yield server
        finally:
            server.kill()


@pytest.fixture
def secret(fresh_database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The server and the test sign with the same."""
    monkeypatch.setenv("LUMA_SECRET", "of this test")
    monkeypatch.setenv("LUMA_DEMO", "0")
    settings.cache_clear()


def sale_event() -> str:
    with db.unit_of_work() as session:
        return open_sale(session).event()


def count(session: Session, table: type[Payment] | type[Enrolment] | type[StripeEvent]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def wait_until_applied() -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with db.unit_of_work() as session:
            open_events = session.scalar(
                select(func.count())
                .select_from(StripeEvent)
                .where(StripeEvent.status != EventStatus.DONE)
            )
        if not open_events:
            return
        time.sleep(0.1)
    raise AssertionError("events still wait")


@pytest.mark.usefixtures("secret")
def test_one_event_fifty_times_at_once_has_one_effect() -> None:
    body = sale_event()

    with started() as server, ThreadPoolExecutor(50) as stripe:
        answers = list(stripe.map(lambda _: server.post(body), range(50)))
        wait_until_applied()

    with db.unit_of_work() as session:
        assert set(answers) == {200}
        assert [count(session, table) for table in (StripeEvent, Payment, Enrolment)] == [1, 1, 1]


@pytest.mark.usefixtures("secret")
def test_push_and_pull_that_bring_the_same_at_once_have_one_effect() -> None:
    bodies = [sale_event() for _ in range(10)]
    brought = [
        replace(signatures.read(body.encode(), source), source=source)
        for body in bodies
        for source in ("sandbox", "pull") * 3
    ]

    with started(), ThreadPoolExecutor(12) as gateways:
        new = list(gateways.map(keep, brought))
        wait_until_applied()

    with db.unit_of_work() as session:
        assert [count(session, table) for table in (StripeEvent, Payment, Enrolment)] == [10] * 3
    assert sum(map(len, new)) == 10


def keep(event: GatewayEvent) -> set[str]:
    with db.unit_of_work() as session:
        return inbox.receive(session, [event])


@pytest.mark.usefixtures("secret")
def test_what_was_answered_well_is_never_lost_to_a_kill() -> None:
    """Deliveries go on while the server is killed; what got no answer is delivered again."""
    bodies = [sale_event() for _ in range(40)]

    with started() as server, ThreadPoolExecutor(8) as stripe:
        answers = stripe.map(server.post, bodies)
        next(answers)
        server.kill()
        again = [body for body, status in zip(bodies[1:], answers, strict=True) if status != 200]
    with started() as server:
        assert {server.post(body) for body in again} <= {200}
        wait_until_applied()

    with db.unit_of_work() as session:
        found = [count(session, table) for table in (StripeEvent, Payment, Enrolment)]
    assert again
    assert found == [40, 40, 40]
