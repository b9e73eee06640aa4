"""`python -m tests.bench [GROUP …] [--write]`."""

import argparse
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import classroom, crowd, report, shop, starting, studio, table, webhooks, world
from tests.bench.table import Row

GROUPS = {
    "shop": shop.rows,
    "classroom": classroom.rows,
    "studio": studio.rows,
    "crowd": crowd.rows,
    "webhooks": webhooks.rows,
    "start": starting.rows,
}
REPORT = Path(__file__).parents[2] / "docs" / "performance.md"


def main() -> None:
    asked = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the servers are ended, not left behind
    _say(_what_ran(asked))
    _say(table.head())
    measured: list[Row] = []
    begun = time.monotonic()
    with world.made() as here:
        for group in asked.groups:
            for row in GROUPS[group](here):
                measured.append(row)
                _say(table.line(row))
    if asked.write:
        REPORT.write_text(report.written(_what_ran(asked), measured))
    over = sum(row.is_over for row in measured)
    _say(f"{over} of {len(measured)} rows over their budget; {time.monotonic() - begun:.0f} s.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure LUMA beside the floor.")
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=", ".join(GROUPS))
    parser.add_argument("--write", action="store_true", help="keep the table in docs/")
    asked = parser.parse_args()
    asked.groups = asked.groups or list(GROUPS)
    for name in asked.groups:
        if name not in GROUPS:
            parser.error(f"there is no group {name}: {', '.join(GROUPS)}")
    return asked


def _what_ran(asked: argparse.Namespace) -> str:
    today, python = datetime.now(UTC).date(), sys.version.split()[0]
    command = f"python -m tests.bench {' '.join(asked.groups)}"
    return f"{today} · Python {python} · {command}"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
