"""Processes that die on purpose: forked from one that has imported LUMA, and killed by SIGKILL at
a point that is named from outside. A line of JSON in starts one; a line out says how it ended.

Nothing in LUMA knows of it: the points are put around its functions here, in the forked process.
"""

import asyncio
import contextlib
import importlib
import inspect
import json
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from procrastinate import App
from starlette.responses import Response

from luma import bridge, db, logs, webhooks, worker
from luma.services.money import checkout, inbox
from luma.settings import settings

Wish = dict[str, Any]
"""`posts` to answer before the work begins, the `point` to die at, and a `checkout` to start.

With `stays` the mother lives it herself and nobody dies: what is slow once is over then.
"""

ROUNDS = 8
"""Most times that what waits for later gets its turn within one life."""


def main() -> None:
    logs.write()
    for line in sys.stdin:
        wish: Wish = json.loads(line)
        with socket.create_server(("127.0.0.1", 0)) as door:
            stays = wish.get("stays", False)
            pid = 0 if stays else os.fork()
            if pid == 0 and not stays:
                _live(wish, door)
            _say({"port": door.getsockname()[1]})
            status = _rehearse(wish, door) if stays else os.waitpid(pid, 0)[1]
        _say(
            {
                "killed": os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL,
                "left": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
            }
        )


def _say(answer: dict[str, object]) -> None:
    sys.stdout.write(f"{json.dumps(answer)}\n")
    sys.stdout.flush()


def _rehearse(wish: Wish, door: socket.socket) -> int:
    """A life without its end. What cannot be handed down is left behind: threads, connections."""
    _be(wish, door)

    async def rehearsed() -> None:
        serving, server = await _served_and_worked(door, wish.get("posts", 0))
        server.should_exit = server.force_exit = True
        await serving

    asyncio.run(rehearsed())
    db.engine().dispose()
    for pool in ("_database", "_network", "_passwords", "_identity"):
        workers = getattr(bridge, pool)
        setattr(bridge, pool, ThreadPoolExecutor(workers._max_workers, pool))
        workers.shutdown()
    return 0


def _live(wish: Wish, door: socket.socket) -> None:
    """The whole life of one process. It ends here, one way or the other."""
    code = 1
    try:
        _be(wish, door)
        if point := wish.get("point"):
            _die_at(point)
        if buying := wish.get("checkout"):
            checkout.start(*buying)

        async def lived() -> None:
            await _served_and_worked(door, wish.get("posts", 0))
            os._exit(0)  # open connections are not what is proved here

        asyncio.run(lived())
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def _be(wish: Wish, door: socket.socket) -> None:
    """What a process of these settings is."""
    os.environ.update(wish.get("settings", {}))
    os.environ["LUMA_BASE_URL"] = f"http://127.0.0.1:{door.getsockname()[1]}"
    settings.cache_clear()


async def _served_and_worked(
    door: socket.socket, posts: int
) -> tuple[asyncio.Task[None], uvicorn.Server]:
    """A server that answers so many deliveries, and a worker that has its turn after them."""
    all_answered = asyncio.Event()
    server = _server(posts, all_answered)
    serving = asyncio.create_task(server.serve([door]))
    if posts:
        await all_answered.wait()
    app = worker.build(worker._conninfo())
    app.periodic_registry.periodic_tasks.clear()  # the clock's jobs are not what is proved here
    async with app.open_async():
        await bridge.perform(inbox.resume)
        for _ in range(ROUNDS):
            if not (lanes := await _waiting(app)):
                break
            await asyncio.gather(*(_lane(app, name, worker.LANES[name]) for name in lanes))
    return serving, server


def _server(posts: int, all_answered: asyncio.Event) -> uvicorn.Server:
    app, left = FastAPI(), posts
    app.include_router(webhooks.router)

    @app.middleware("http")
    async def counted(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
        nonlocal left
        answer = await call(request)
        left -= 1
        if left == 0:
            all_answered.set()
        return answer

    return uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", access_log=False))


async def _lane(app: App, name: str, most: int) -> None:
    await app.run_worker_async(
        name=name,
        queues=[name],
        concurrency=most,
        wait=False,
        install_signal_handlers=False,
        listen_notify=False,
        delete_jobs="successful",
    )


async def _waiting(app: App) -> list[str]:
    """The lanes in which something waits. Nobody here waits for the clock: it is later already."""
    for later in (
        "UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE status = 'todo'",
        "UPDATE stripe_events SET next_at = now() - interval '1 hour' WHERE status = 'parked'",
    ):
        await app.connector.execute_query_async(later)
    rows = await app.connector.execute_query_all_async(
        "SELECT DISTINCT queue_name FROM procrastinate_jobs WHERE status = 'todo'"
    )
    return [str(row["queue_name"]) for row in rows]


def _die_at(point: list[Any]) -> None:
    """["commit", "before" | "after", n] or ["module:function", "before" | "after", n]."""
    place, when, number = point
    if place == "commit":
        dialect = db.engine().dialect
        dialect.do_commit = _deadly(dialect.do_commit, when, number)  # type: ignore[method-assign]
        return
    module, _, path = place.partition(":")
    owner = importlib.import_module(module)
    *through, name = path.split(".")
    for step in through:
        owner = getattr(owner, step)
    setattr(owner, name, _deadly(getattr(owner, name), when, number))


def _deadly(inner: Callable[..., Any], when: str, number: int) -> Callable[..., Any]:
    """The same function, deadly at its nth call: before it has begun, or when it is done."""
    calls = 0

    def is_last() -> bool:
        nonlocal calls
        calls += 1
        return calls == number

    @wraps(inner)
    def at_once(*args: Any, **kwargs: Any) -> Any:
        mine = is_last()
        _die(mine and when == "before")
        result = inner(*args, **kwargs)
        _die(mine and when == "after")
        return result

    @wraps(inner)
    async def in_time(*args: Any, **kwargs: Any) -> Any:
        mine = is_last()
        _die(mine and when == "before")
        result = await inner(*args, **kwargs)
        _die(mine and when == "after")
        return result

    return in_time if inspect.iscoroutinefunction(inner) else at_once


def _die(now: bool) -> None:
    if now:
        with contextlib.suppress(OSError):
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
