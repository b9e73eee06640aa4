"""Start processes that die where they are told to, and let time pass for those that come after."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import text

from luma import db
from tests.selling import signed

Point = tuple[str, str, int]


@dataclass
class Mother:
    """The process that has imported LUMA once; each life is a fork of it."""

    process: "subprocess.Popen[str]"
    killed: int = 0

    def live(
        self, *bodies: str, point: Point | None = None, checkout: Sequence[str] = ()
    ) -> tuple[bool, list[str]]:
        """Whether it was killed, and what it had not answered well by then.

        It answers the deliveries, then works until nothing waits, and ends by itself.
        """
        self._ask({"posts": len(bodies), "point": point, "checkout": checkout or None})
        port = self._answer()["port"]
        left = [body for body in bodies if _post(port, body) != 200]
        end = self._answer()
        self.killed += end["killed"]
        assert end["killed"] or end["left"] == 0, "it broke instead of dying"
        return end["killed"], left

    def _ask(self, wish: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{json.dumps(wish)}\n")
        self.process.stdin.flush()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        said: dict[str, Any] = json.loads(self.process.stdout.readline())
        return said


@contextmanager
def mother() -> Iterator[Mother]:
    """On the database and with the settings of the test."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.proofs.mortal"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ.copy(),
    ) as process:
        yield Mother(process)
        process.communicate()


def _post(port: int, body: str) -> int:
    """The status, or 0 when nobody answers."""
    address = f"http://127.0.0.1:{port}/webhooks/stripe"
    headers = {"Stripe-Signature": signed(body)}
    try:
        answer = httpx.post(address, content=body, headers=headers, timeout=20, trust_env=False)
    except httpx.HTTPError:
        return 0
    return answer.status_code


def time_passes() -> None:
    """An hour later: the dead worker's jobs are known to be nobody's, every wait is over.

    What LUMA does about such jobs once a minute (`queue.pick_up_stalled`) is asked for here.
    """
    with db.unit_of_work() as session:
        for statement in (
            "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'",
            "UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE status = 'todo'",
            "UPDATE stripe_events SET next_at = now() - interval '1 hour'"
            " WHERE status IN ('new', 'parked')",
            "UPDATE letters SET sending_until = NULL",
            "INSERT INTO procrastinate_jobs (task_name, queue_name, args, queueing_lock)"
            " VALUES ('queue.pick_up_stalled', 'default', '{\"timestamp\": 0}', 'pick up')"
            " ON CONFLICT DO NOTHING",
        ):
            session.execute(text(statement))
