"""Start processes that die where they are told to, and let time pass for those that come after."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
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
    is_ready: bool = False
    http: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, timeout=20))

    def live(
        self,
        *bodies: str,
        point: Point | None = None,
        checkout: Sequence[str] = (),
        stays: bool = False,
    ) -> tuple[bool, list[str]]:
        """Whether it was killed, and what it had not answered well by then.

        It answers the deliveries, then works until nothing waits, and ends by itself.
        """
        ours = {name: value for name, value in os.environ.items() if name.startswith("LUMA_")}
        wish = {"posts": len(bodies), "point": point, "settings": ours, "stays": stays}
        self._ask(wish | {"checkout": checkout or None})
        port = self._answer()["port"]
        left = [body for body in bodies if self._post(port, body) != 200]
        end = self._answer()
        self.killed += end["killed"]
        assert end["killed"] or end["left"] == 0, "it broke instead of dying"
        return end["killed"], left

    def _post(self, port: int, body: str) -> int:
        """The status, or 0 when nobody answers."""
        address = f"http://127.0.0.1:{port}/webhooks/stripe"
        headers = {"Stripe-Signature": signed(body)}
        try:
            return self.http.post(address, content=body, headers=headers).status_code
        except httpx.HTTPError:
            return 0

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
        known = Mother(process)
        yield known
        known.http.close()
        process.communicate()


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
