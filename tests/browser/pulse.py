"""The same server, which notes how busy and how late its event loop is: one line a beat."""

import asyncio
import os
import socket
import time
from pathlib import Path

import uvicorn

from tests.browser import serve

BEAT = 0.01


class Watched(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.beating = asyncio.create_task(_beat(Path(os.environ["PULSE"])))


async def _beat(notes: Path) -> None:
    """Milliseconds: CPU of the loop's own thread since the last beat, and how late this one is."""
    with notes.open("w", buffering=1) as file:
        while True:
            spent, began = time.thread_time(), time.monotonic()
            await asyncio.sleep(BEAT)
            busy, late = time.thread_time() - spent, time.monotonic() - began - BEAT
            file.write(f"{busy * 1000:.2f} {late * 1000:.2f}\n")


if __name__ == "__main__":
    uvicorn.Server = Watched  # type: ignore[misc]  # what serve.py starts
    serve.main()
