"""Keep the log small and discreet: one line for a thousand bad frames, no client ids."""

import logging
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

QUIET_SECONDS = 60.0
ALIKE = 10
"""Tracebacks from the same line of code that are written in full, a minute."""

_LOUD = ("nicegui", "asyncio", "engineio.server", "socketio.server", "uvicorn.error")
_INDISCREET = ("uvicorn.access", "uvicorn.error")


class Tally:
    """Says that something happens, and how often, at most once a minute."""

    def __init__(self, sentence: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._sentence = sentence
        self._clock = clock
        self._times = 0
        self._quiet_until = float("-inf")

    def count(self) -> None:
        self._times += 1
        now = self._clock()
        if now >= self._quiet_until:
            log.warning("%s (%d times)", self._sentence, self._times)
            self._times = 0
            self._quiet_until = now + QUIET_SECONDS


class AlikeTracebacks(logging.Filter):
    """Lets a few tracebacks of one kind through a minute; a hostile client can cause thousands."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._minute = 0.0
        self._seen: dict[tuple[object, ...], int] = {}
        self._dropped = Tally("tracebacks like earlier ones were left out", clock)

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.exc_info or record.exc_info[0] is None:
            return True
        if self._clock() - self._minute > QUIET_SECONDS:
            self._minute = self._clock()
            self._seen.clear()
        kind = _kind(record)
        self._seen[kind] = self._seen.get(kind, 0) + 1
        if self._seen[kind] > ALIKE:
            self._dropped.count()
            return False
        return True


class WithoutQueries(logging.Filter):
    """A socket's query string holds the client id, which is as good as a key."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_shortened(argument) for argument in record.args)
        return True


def hush() -> None:
    """Put the filters where NiceGUI and its servers log. Twice changes nothing."""
    for name in _LOUD:
        _add(logging.getLogger(name), AlikeTracebacks)
    for name in _INDISCREET:
        _add(logging.getLogger(name), WithoutQueries)


def _add(logger: logging.Logger, kind: type[logging.Filter]) -> None:
    if not any(isinstance(known, kind) for known in logger.filters):
        logger.addFilter(kind())


def _kind(record: logging.LogRecord) -> tuple[object, ...]:
    error, _, trace = record.exc_info or (None, None, None)
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = (trace.tb_frame.f_code, trace.tb_lineno) if trace is not None else None
    return (record.pathname, record.lineno, error, place)


def _shortened(argument: object) -> object:
    if isinstance(argument, str) and "client_id=" in argument:
        return argument.partition("?")[0]
    return argument


floods = Tally("sockets that did not stop sending were cut off")
malformed = Tally("malformed socket frames were dropped")
foreign = Tally("socket messages that claimed another page were dropped")
