"""Start an identity provider as a process of its own, and tell it how to behave."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.standins.oidc_provider import CLIENT_ID, CLIENT_SECRET


class OidcStandIn:
    """A provider as a test sees it."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.http = httpx.Client(trust_env=False, timeout=30)

    def behaves(self, **wishes: object) -> None:
        """Honestly, but for the fields of oidc_provider.Behaviour that are named."""
        self.http.post(f"{self.issuer}/control", json=wishes).raise_for_status()

    @property
    def asked(self) -> list[str]:
        """Method and path of every request since it was last told how to behave."""
        found: list[str] = self.http.get(f"{self.issuer}/control").json()["asked"]
        return found

    def settings(self, name: str, label: str = "") -> dict[str, str]:
        """The variables with which a LUMA trusts it."""
        own = {
            "ISSUER": self.issuer,
            "CLIENT_ID": CLIENT_ID,
            "CLIENT_SECRET": CLIENT_SECRET,
            "LABEL": label,
        }
        return {f"LUMA_OIDC_{name.upper()}_{what}": value for what, value in own.items()}


@contextmanager
def oidc_stand_in() -> Iterator[OidcStandIn]:
    """On a port of its own. The socket listens before the process is there, so nobody waits."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port, descriptor = listener.getsockname()[1], listener.fileno()
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.standins.oidc_provider",
                "--descriptor",
                str(descriptor),
            ],
            pass_fds=[descriptor],
            env=os.environ.copy(),
        )
    stand_in = OidcStandIn(f"http://127.0.0.1:{port}")
    try:
        yield stand_in
    finally:
        stand_in.http.close()
        process.kill()  # It keeps nothing, and would wait for LUMA to hang up.
        process.wait(10)
