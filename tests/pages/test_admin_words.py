"""What admins read has words for everything that LUMA does: each job, and each act in the log."""

import ast
import re
from pathlib import Path

from luma import worker
from luma.pages.admin.jobs import TASKS
from luma.pages.admin.log import ACTS

DEED = re.compile(r"[a-z]+\.[a-z_]+")
SERVICES = Path(worker.__file__).parent / "services"


def noted_acts() -> set[str]:
    """Every "thing.deed" in a module that notes what admins do, but for names of jobs."""
    modules = (path.read_text("utf-8") for path in SERVICES.rglob("*.py"))
    words = {
        node.value
        for module in modules
        if "audit.note(" in module
        for node in ast.walk(ast.parse(module))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return {word for word in words if DEED.fullmatch(word)} - tasks()


def tasks() -> set[str]:
    return {name for name in worker.build("").tasks if "builtin" not in name}


def test_every_act_in_the_log_has_words() -> None:
    acts = noted_acts()

    assert "course.hide" in acts
    assert acts - ACTS.keys() == set()


def test_every_job_has_words() -> None:
    assert "inbox.apply" in tasks()
    assert tasks() - TASKS.keys() == set()
