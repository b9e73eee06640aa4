"""Start a stand-in as a process of its own, and talk to it past the protocol it speaks."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx


class StripeStandIn:
    """Stripe as a test sees it: what is there, what was asked, and what goes wrong next."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._http = httpx.Client(base_url=address, trust_env=False, timeout=60)

    def fails(self, kind: str, path: str = "/v1/", times: int = 1) -> None:
        """`kind`: 403, 409, 429, 500 ("500 and done"), html, reset (the answer is lost) or hang."""
        self._http.post("/control/troubles", json=[{"kind": kind, "path": path, "times": times}])

    def changes(self, thing: str, **fields: object) -> None:
        """Somebody pays, or edits in the dashboard."""
        self._http.post(f"/control/objects/{thing}", json=fields).raise_for_status()

    def happened(self, events: list[dict[str, Any]]) -> None:
        """Events, oldest first, that it can be asked for."""
        self._http.post("/control/events", json=events).raise_for_status()

    def forget(self) -> None:
        """Begin with an empty account."""
        self._http.post("/control/forget")

    def all(self, prefix: str) -> list[dict[str, Any]]:
        """Objects by the beginning of their ids: prod, price, cs."""
        objects = self._state()["objects"].values()
        return [one for one in objects if one["id"].startswith(f"{prefix}_")]

    @property
    def requests(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = self._state()["requests"]
        return found

    @property
    def misfits(self) -> list[str]:
        """What Stripe's description does not allow, of all that was said."""
        found: list[str] = self._state()["misfits"]
        return found

    def close(self) -> None:
        self._http.close()

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = self._http.get("/control").json()
        return state


@contextmanager
def stripe_stand_in() -> Iterator[StripeStandIn]:
    """On a port of its own. The socket listens before the process is there, so nobody waits."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.standins.stripe_server",
                "--descriptor",
                str(listener.fileno()),
            ],
            pass_fds=[listener.fileno()],
            env=os.environ.copy(),
        )
    stand_in = StripeStandIn(f"http://127.0.0.1:{port}")
    try:
        yield stand_in
    finally:
        stand_in.close()
        process.kill()  # It keeps nothing, and would wait for LUMA to hang up.
        process.wait(10)
