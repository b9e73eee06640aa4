"""Blocking code beside the event loop."""

import asyncio
import subprocess
import sys
import threading

import pytest

from luma import bridge

HANGS = """
import asyncio, threading
from luma import bridge

async def work():
    hanging = asyncio.create_task(bridge.apart(threading.Event().wait))
    await asyncio.sleep(0)
    hanging.cancel()

asyncio.run(work())
"""


def test_a_job_that_hangs_does_not_keep_the_process_alive() -> None:
    ended = subprocess.run([sys.executable, "-c", HANGS], timeout=30, check=False)

    assert ended.returncode == 0


async def test_what_a_job_returns_and_raises_arrives() -> None:
    assert await bridge.apart(sorted, [2, 1], reverse=True) == [2, 1]
    with pytest.raises(ValueError, match="no number"):
        await bridge.apart(_fail, "no number")


async def test_an_answer_after_the_job_was_given_up_is_dropped() -> None:
    open_up = threading.Event()
    job = asyncio.create_task(bridge.apart(open_up.wait))
    await asyncio.sleep(0.01)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job

    open_up.set()
    await asyncio.sleep(0.05)


def _fail(words: str) -> None:
    raise ValueError(words)
