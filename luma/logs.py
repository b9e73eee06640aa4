"""The log: one line an event, its fields behind it; a traceback keeps its lines."""

import logging
import sys

NOISY = ("alembic", "httpx", "httpcore", "procrastinate", "uvicorn")
PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


class OneLine(logging.Formatter):
    """Nobody writes a second line into the log: what comes from outside is escaped."""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname:<7} {name}: {message}", style="{")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's name)
        fields = [
            f"{name}={value}" for name, value in sorted(vars(record).items()) if name not in PLAIN
        ]
        line = " ".join([super().formatMessage(record), *fields])
        return line.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")


def write() -> None:
    """Log to the standard error stream, from INFO on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
