"""Somebody who calls the webhooks, without the guard and without a browser."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from luma import webhooks
from luma.services.gateways.protocol import Unverified


@pytest.fixture(autouse=True)
def refused(monkeypatch: pytest.MonkeyPatch) -> list[Unverified]:
    """What would be counted: not here, on the connection that the test itself looks through."""
    noted: list[Unverified] = []
    monkeypatch.setattr(webhooks._refusals, "note", noted.append)
    return noted


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.include_router(webhooks.router)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://school.example") as client:
        yield client
