"""`make mutants`: a table of what was taken out and whether a test noticed. Fails if none did."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from tests.mutants.list import MUTANTS, Mutant
from tests.standins import contract

ROOT = Path(__file__).parents[2]
PARTS = ("luma", "tests", "alembic", "docs")
FILES = ("alembic.ini", "pyproject.toml", "main.py")


def main() -> None:
    wanted = [one for one in MUTANTS if not sys.argv[1:] or one.name in sys.argv[1:]]
    _say("| taken out or changed | noticed by |\n|---|---|")
    survivors = 0
    with tempfile.TemporaryDirectory(prefix="luma-mutants-") as folder:
        copy = _copied(Path(folder))
        for mutant in wanted:
            noticed = _noticed(copy, mutant)
            survivors += noticed is None
            _say(f"| {mutant.name} | {noticed or '**nobody**'} |")
    _say(f"\n{len(wanted) - survivors} of {len(wanted)} noticed.")
    sys.exit(survivors > 0)


def mutated(source: str, mutant: Mutant) -> str:
    """Raises ValueError unless the words stand there exactly once."""
    if source.count(mutant.words) != 1:
        raise ValueError(f"{mutant.file}: {mutant.words!r} stands there not exactly once")
    return source.replace(mutant.words, mutant.instead)


def _copied(folder: Path) -> Path:
    skip = shutil.ignore_patterns("__pycache__", "node_modules")
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=skip)
    for file in FILES:
        shutil.copy(ROOT / file, folder / file)
    return folder


def _noticed(copy: Path, mutant: Mutant) -> str | None:
    """The first test that turns red, or None."""
    if red := _red_before(copy, mutant.tests):
        raise RuntimeError(f"without any mutant this is red: {red}")
    file = copy / mutant.file
    original = file.read_text()
    file.write_text(mutated(original, mutant))
    try:
        return _first_red(copy, mutant.tests)
    finally:
        file.write_text(original)


@cache
def _red_before(copy: Path, tests: str) -> str | None:
    return _first_red(copy, tests)


def _first_red(copy: Path, tests: str) -> str | None:
    quietly = ("-x", "-q", "--tb=no", "-p", "no:cacheprovider")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *quietly, *tests.split()],
        cwd=copy,
        env={**os.environ, "LUMA_STRIPE_CONTRACT": str(contract.DESCRIPTION)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    red = re.search(r"^FAILED \S*?/?(\w+)\.py::(?:\w+::)?(\w+)", ran.stdout, re.M)
    return f"`{red[1]}`: {red[2].removeprefix('test_').replace('_', ' ')}" if red else None


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
