"""Deliveries while the database is restarted, hangs, is busy or full: 503, and nothing is lost.

Stripe comes again for three days; what was answered with 200 must be there by then.
"""

import hashlib
import hmac
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil  # type: ignore[import-untyped]  # its types are not installed
import psycopg
import pytest
from sqlalchemy import func, make_url, select

from luma import migrations
from luma.embedded import Server, processes
from luma.models.payment import Payment, StripeEvent
from luma.models.progress import Enrolment
from luma.values import EventStatus
from tests.browser.school import School, running
from tests.selling import event_of_no_consequence, open_sale, signature_at

SECRET = "of this test"
SIGNS = hmac.new(SECRET.encode(), b"sandbox webhook", hashlib.sha256).hexdigest()
PATIENCE = 60


def may_mount() -> bool:
    return sys.platform == "linux" and os.geteuid() == 0


class Bank:
    """A school with a PostgreSQL of its own, so that its troubles are nobody else's."""

    def __init__(self, school: School, server: Server) -> None:
        self.school, self.server = school, server

    def post(self, body: str) -> int:
        """The status, or 0 when nobody answers."""
        payload = body.encode()
        signature = signature_at(payload, f"whsec_sbx_{SIGNS}", int(time.time()))
        try:
            answer = httpx.post(
                f"{self.school.url}/webhooks/stripe",
                content=payload,
                headers={"Stripe-Signature": signature},
                timeout=PATIENCE,
                trust_env=False,
            )
        except httpx.HTTPError:
            return 0
        return answer.status_code

    def is_awake(self) -> bool:
        found = httpx.get(f"{self.school.url}/healthz", timeout=PATIENCE, trust_env=False)
        return found.status_code == 200

    def postmaster(self) -> "psutil.Process":
        found = processes.postmaster(self.server.cluster)
        assert found is not None
        return found

    def kept(self, bodies: list[str]) -> set[str]:
        """Of these events, the ids of those that are in the database."""
        ids = [json.loads(body)["id"] for body in bodies]
        with self.school.session() as session:
            asked = select(StripeEvent.event_id).where(StripeEvent.event_id.in_(ids))
            return set(session.scalars(asked))

    def sale(self) -> str:
        with self.school.session() as session:
            return open_sale(session).event()

    def delivered(self, bodies: list[str]) -> None:
        """Stripe comes again until each was taken."""
        end = time.monotonic() + PATIENCE
        left = bodies
        while left and time.monotonic() < end:
            left = [body for body in left if self.post(body) != 200]
            time.sleep(0.2 if left else 0)
        assert not left

    @contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """Somebody holds a whole table."""
        plain = make_url(self.school.database).set(drivername="postgresql")
        with psycopg.connect(plain.render_as_string(hide_password=False)) as other:
            other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield
            other.rollback()


@pytest.fixture(scope="module")
def bank() -> Iterator[Bank]:
    """Not below pytest's folder, which is closed to the user that PostgreSQL runs as for root."""
    with tempfile.TemporaryDirectory(prefix="luma-bank-") as name:
        folder = Path(name)
        server = Server(folder / "postgres")
        database = server.start()
        migrations.upgrade(database)
        try:
            with running(database, folder, {"LUMA_SECRET": SECRET, "LUMA_DEMO": "0"}) as school:
                yield Bank(school, server)
        finally:
            server.stop()


def good_ones(answers: list[int], bodies: list[str]) -> set[str]:
    taken = zip(bodies, answers, strict=True)
    return {json.loads(body)["id"] for body, status in taken if status == 200}


def test_a_database_that_is_restarted_amid_deliveries_loses_nothing(bank: Bank) -> None:
    """At once, without a word to whoever is connected, as when its machine is restarted."""
    bodies = [bank.sale() for _ in range(40)]

    with ThreadPoolExecutor(8) as stripe:
        answers = stripe.map(bank.post, bodies)
        first = next(answers)
        bank.postmaster().send_signal(signal.SIGQUIT)
        statuses = [first, *answers]
    bank.delivered([body for body, status in zip(bodies, statuses, strict=True) if status != 200])
    bank.school.engine.dispose()  # the test's own connections are gone, too

    assert set(statuses) <= {200, 503}
    assert 503 in statuses
    assert len(bank.kept(bodies)) == 40
    applied_once(bank, 40)


def applied_once(bank: Bank, sales: int) -> None:
    end = time.monotonic() + PATIENCE
    waits = select(func.count(StripeEvent.id)).where(StripeEvent.status != EventStatus.DONE)
    counts = [select(func.count(table.id)) for table in (Payment, Enrolment)]
    while time.monotonic() < end:
        with bank.school.session() as session:
            if not session.scalar(waits):
                assert [session.scalar(one) for one in counts] == [sales, sales]
                return
        time.sleep(0.1)
    raise AssertionError("events still wait")


def test_a_database_that_hangs_is_not_waited_for_and_stops_nobody(bank: Bank) -> None:
    body = event_of_no_consequence()
    postmaster = bank.postmaster()
    family = [postmaster, *postmaster.children(recursive=True)]

    for one in family:
        one.suspend()
    try:
        with ThreadPoolExecutor(1) as stripe:
            answer = stripe.submit(bank.post, body)
            seen = [bank.is_awake() for _ in range(20)]
            is_first = not answer.done()
            status = answer.result()
    finally:
        for one in family:
            one.resume()

    assert (status, all(seen), is_first) == (503, True, True)
    bank.delivered([body])
    assert bank.kept([body])


def test_a_table_that_somebody_holds_is_not_waited_for(bank: Bank) -> None:
    body = event_of_no_consequence()

    with bank.locked("stripe_events"):
        status = bank.post(body)

    assert status == 503
    bank.delivered([body])
    assert bank.kept([body])


def test_an_event_that_finds_every_connection_in_use_is_kept_or_refused(bank: Bank) -> None:
    bodies = [event_of_no_consequence() for _ in range(8)]

    with bank.locked("courses"), ThreadPoolExecutor(40) as everybody:
        pages = [
            everybody.submit(httpx.get, bank.school.url, timeout=PATIENCE, trust_env=False)
            for _ in range(30)
        ]
        answers = list(everybody.map(bank.post, bodies))
        shown = {page.result().status_code for page in pages}

    assert set(answers) <= {200, 503}
    assert 500 not in shown
    assert bank.kept(bodies) >= good_ones(answers, bodies)
    bank.delivered(bodies)


@contextmanager
def small_disk(bank: Bank) -> Iterator[Callable[[], None]]:
    """The inbox lies on a disk of 2 MB; what is given makes room on it."""
    disk = bank.server.folder / "disk"
    disk.mkdir()
    owner = bank.postmaster().uids().real
    mount("-t", "tmpfs", "-o", f"size=2m,uid={owner},mode=0700", "tmpfs", str(disk))
    plain = make_url(bank.school.database).set(drivername="postgresql")
    with psycopg.connect(plain.render_as_string(hide_password=False), autocommit=True) as admin:
        admin.execute(f"CREATE TABLESPACE small LOCATION '{disk}'")
        try:
            admin.execute("ALTER TABLE stripe_events SET TABLESPACE small")
            yield lambda: mount("-o", "remount,size=64m", str(disk))
        finally:
            mount("-o", "remount,size=64m", str(disk))
            admin.execute("ALTER TABLE stripe_events SET TABLESPACE pg_default")
            admin.execute("CHECKPOINT")
            admin.execute("DROP TABLESPACE small")
            subprocess.run(["umount", "--lazy", str(disk)], check=True)


def mount(*wishes: str) -> None:
    subprocess.run(["mount", *wishes], check=True)


@pytest.mark.skipif(not may_mount(), reason="only root may mount the small disk that fills up")
def test_a_full_disk_loses_nothing_and_goes_on_once_there_is_room(bank: Bank) -> None:
    with small_disk(bank) as make_room:
        bodies = [event_of_no_consequence(secrets.token_hex(100_000)) for _ in range(40)]
        answers = [bank.post(body) for body in bodies]
        taken = good_ones(answers, bodies)

        assert set(answers) == {200, 503}
        assert bank.kept(bodies) == taken
        assert bank.is_awake()

        make_room()
        bank.delivered([body for body in bodies if json.loads(body)["id"] not in taken])
        assert len(bank.kept(bodies)) == 40
