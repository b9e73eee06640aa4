"""Start LUMA: the server with its worker, and with `--native` a window on the studio."""

import argparse
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from types import FrameType

import uvicorn

from luma import db, logs, migrations
from luma.cli import in_sentences
from luma.desktop import Window
from luma.errors import LumaError
from luma.services import demo
from luma.settings import settings

ANSWERS_END_AFTER = 2
"""Seconds that open answers get once the server is told to stop."""


ENDS_WITHIN = 12
"""Seconds from the wish to the end, whatever still hangs; what is cut off is safe as after a
power cut."""


class Server(uvicorn.Server):
    """Says when it is there, and ends when it is told to."""

    def __init__(self, config: uvicorn.Config, when_there: Callable[["Server"], None]) -> None:
        super().__init__(config)
        self._when_there = when_there

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._when_there(self)

    def stop(self) -> None:
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        _end_at_last()


def main() -> None:
    asked = _arguments()
    logs.write()
    signal.signal(signal.SIGTERM, _end)
    with in_sentences():
        if asked.server:
            _show(Window(asked.server))
        else:
            _serve(Window(settings().base_url) if asked.native else None)


def _end(_signal: int, _frame: FrameType | None) -> None:
    _end_at_last()
    sys.exit(0)


def _end_at_last() -> None:
    last = threading.Timer(ENDS_WITHIN, os._exit, (1,))
    last.daemon = True
    last.start()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Start LUMA.")
    parser.add_argument("--native", action="store_true", help="open the studio in a window")
    parser.add_argument(
        "--server", metavar="ADDRESS", help="with --native: the window alone, on a LUMA elsewhere"
    )
    asked = parser.parse_args()
    if asked.server and not asked.native:
        parser.error("--server goes with --native")
    return asked


def _show(window: Window) -> None:
    window.open()
    try:
        window.wait()
    finally:
        window.close()


def _serve(window: Window | None) -> None:
    with _listener() as listener:
        migrations.upgrade()
        sign_ins = _demo_sign_ins()

        def there(server: Server) -> None:
            _say_hello(sign_ins)
            if window is not None:
                window.open(when_closed=server.stop)

        try:
            Server(_config(), there).run([listener])
        finally:
            if window is not None:
                window.close()
                window.wait()


def _listener() -> socket.socket:
    """The port, taken before anything slow is done for it."""
    host, port = settings().host, settings().port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise LumaError(
            f"Port {port} of {host} cannot be used ({error.strerror}): end the program that has "
            "it, or set LUMA_PORT to another one."
        ) from error


def _config() -> uvicorn.Config:
    from luma import app  # noqa: PLC0415  (takes its time; a refusal before it comes at once)

    return uvicorn.Config(
        app.build(),
        log_config=None,
        access_log=False,  # addresses of sockets hold what only their page may know
        server_header=False,
        proxy_headers=False,  # the guard reads them, from the proxy that is trusted
        ws_max_size=2**20,
        timeout_graceful_shutdown=ANSWERS_END_AFTER,
    )


def _demo_sign_ins() -> list[demo.DemoPerson]:
    if not settings().loads_demo:
        return []
    with db.unit_of_work() as session:
        demo.load(session)
        return demo.sign_ins(session)


def _say_hello(sign_ins: list[demo.DemoPerson]) -> None:
    home = settings().base_url
    lines = ["", f"  LUMA is open at {home}", f"  The studio is at {home}/studio"]
    if sign_ins:
        lines += ["", "  Sign in to the demo school:"]
        lines += [f"    {p.role.value:<11} {p.email:<22} {demo.PASSWORD}" for p in sign_ins]
    if settings().uses_sandbox:
        lines += ["", "  Payments are played: no money moves without a Stripe key."]
    print("\n".join([*lines, "", "  Ctrl+C ends it.", ""]), flush=True)


if __name__ == "__main__":
    main()
