"""OpenRouter as a test sees it: a process of its own, told what goes wrong next."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from luma.services.gateways import ai
from luma.services.gateways.breaker import Breaker
from luma.settings import settings

KEY = "sk-or-test-1234567890"


class OpenRouter:
    def __init__(self, address: str) -> None:
        self.address = address
        self._http = httpx.Client(base_url=address, trust_env=False, timeout=10)

    @property
    def base_url(self) -> str:
        return f"{self.address}/api/v1"

    def does(self, *behaviours: dict[str, object] | str) -> None:
        """Next, one for each question. A word alone is a behaviour without wishes."""
        told = [{"kind": one} if isinstance(one, str) else one for one in behaviours]
        self._http.post("/control", json=told).raise_for_status()

    def forget(self) -> None:
        self._http.delete("/control").raise_for_status()

    @property
    def asked(self) -> list[dict[str, Any]]:
        """The questions that arrived: `headers` and `body`."""
        found: list[dict[str, Any]] = self._http.get("/control").json()["asked"]
        return found

    def close(self) -> None:
        self._http.close()


@contextmanager
def openrouter() -> Iterator[OpenRouter]:
    command = [sys.executable, "-m", "tests.standins.openrouter_server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        stand_in = OpenRouter(process.stdout.readline().strip())
        yield stand_in
        stand_in.close()
        process.terminate()


def connect(stand_in: OpenRouter, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process asks the stand-in, and nothing is left of earlier troubles."""
    stand_in.forget()
    monkeypatch.setenv("LUMA_OPENROUTER_API_KEY", KEY)
    monkeypatch.setenv("LUMA_OPENROUTER_BASE_URL", stand_in.base_url)
    settings.cache_clear()
    monkeypatch.setattr(ai, "breaker", Breaker())
