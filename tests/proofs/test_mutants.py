"""`make mutants` takes safeguards out one by one; here, that each of them is still where it was."""

from pathlib import Path

import pytest

from tests.mutants.__main__ import mutated
from tests.mutants.list import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_what_a_mutant_takes_out_is_there_and_it_is_still_python(mutant: Mutant) -> None:
    changed = mutated((ROOT / mutant.file).read_text(), mutant)

    compile(changed, mutant.file, "exec")
    assert all((ROOT / name).exists() for name in mutant.tests.split())
