"""docs/performance.md: the last table, and what its rows mean."""

from collections.abc import Sequence

import psutil  # type: ignore[import-untyped]  # its types are not installed

from tests.bench import table
from tests.bench.table import Row

NUMBERS = ("no", "one", "two", "three", "four")

TEXT = """\
# What LUMA costs

`make bench` measures LUMA and, in the same run and over the same database, a floor: catalogue,
course and lesson page of FastAPI, Jinja2 and SQLAlchemy alone (`tests/bench/floor.py`), without a
script, a design or any protection. `python -m tests.bench classroom` measures one group, `--write`
keeps the table here.

- CPU time is that of the server with its database, all processes. It depends less than anything
  else on what the machine does besides; on a busy one it still grows by a half, the floor's too.
- Bytes and requests are those of Chromium with an empty cache, without pictures.
- Wall times ("shown", "p95", "a second") are only good for comparing two rows of one run; on a
  busy machine they are the first to go over.
- Budgets that need no clock (bytes, requests, elements, statements) are kept by tests as well:
  `tests/services/test_budgets.py` and `tests/browser/test_budgets.py`.

## Last run

{what} · {cores} cores, {load}

{table}

## Where it comes from

- Shop pages are plain HTML; their scripts only make them quicker.
- The classroom's text is in the page that is served. NiceGUI's own scripts come as one file, and
  where a page has no Quasar widget a stand-in of 1 KB takes Quasar's place (`luma/pages/shell.py`).
- An outline is one statement of plain columns and one browser element, whatever its length.
- A connection that was just used is not asked whether it lives, what only reads opens no
  transaction, and who is looking is one row.
- What is in memory at the start is left out of garbage collection.
"""


def written(what: str, rows: Sequence[Row]) -> str:
    cores = psutil.cpu_count() or 0
    counted = NUMBERS[cores] if cores < len(NUMBERS) else str(cores)
    busy = psutil.getloadavg()[0] > 2 * cores
    load = "busy with other work at the same time" if busy else "otherwise idle"
    return TEXT.format(what=what, cores=counted, load=load, table=table.markdown(rows))
