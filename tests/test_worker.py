"""The worker comes back after the database was away, and ends when it is told to."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from procrastinate.exceptions import ConnectorException

from luma import worker


class Lanes:
    """Breaks the first times it is run, as when the connection is gone, and then goes on."""

    def __init__(self, breaks: int) -> None:
        self.breaks, self.runs = breaks, 0
        self.goes_on = asyncio.Event()

    @contextlib.asynccontextmanager
    async def open_async(self) -> AsyncIterator[None]:
        yield

    async def run(self, _app: object) -> None:
        self.runs += 1
        async with asyncio.TaskGroup() as group:
            group.create_task(self._lane())
            group.create_task(asyncio.sleep(3600))

    async def _lane(self) -> None:
        await asyncio.sleep(0)
        if self.runs <= self.breaks:
            raise ConnectorException
        self.goes_on.set()
        await asyncio.sleep(3600)


async def nothing(*_: object) -> None:
    """In place of what looks for what is left."""


async def test_it_begins_again_however_often_its_lanes_break(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lanes = Lanes(breaks=3)
    monkeypatch.setattr(worker, "build", lambda _address: lanes)
    monkeypatch.setattr(worker, "_run_lanes", lanes.run)
    monkeypatch.setattr(worker, "perform", nothing)
    monkeypatch.setattr(worker, "RESTART_AFTER", 0)

    working = asyncio.create_task(worker.work())
    await asyncio.wait_for(lanes.goes_on.wait(), 10)
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.wait_for(working, 10)

    assert (lanes.runs, working.done()) == (4, True)
