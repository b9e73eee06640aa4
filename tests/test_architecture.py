"""The conventions that no other tool keeps. Each rule is shown to see what it forbids."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nicegui
import passlib
import pytest

from luma.pages import guard

ROOT = Path(__file__).parents[1]
LONGEST_FUNCTION = 40
LONGEST_FILE = 300

NO_SUCH_ROOM = {"utils", "helpers", "common", "core", "repositories", "schemas", "managers"}
NO_SUCH_VERB = ("get_", "handle_", "process_")
NAMED_BY_OTHERS = {"get_retry_decision", "get_field_value", "handle_exit"}
COUNTS_MONEY = (
    *("luma/values.py", "luma/currencies.py", "luma/services/money/"),
    *(f"luma/services/gateways/{name}" for name in ("stripe", "sandbox", "charge", "reversal")),
    *(f"luma/models/{name}.py" for name in ("order", "payment", "reversal", "coupon", "ledger")),
)
RAW_SINKS = {
    "add_body_html",
    "add_css",
    "add_head_html",
    "add_slot",
    "props",
    "run_javascript",
    "style",
}


@dataclass(frozen=True)
class Module:
    name: str
    """Its path from the project's root, with slashes."""
    tree: ast.Module
    lines: int

    @classmethod
    def of(cls, name: str, code: str) -> "Module":
        return cls(name, ast.parse(code), len(code.splitlines()))

    def calls(self) -> Iterator[ast.Call]:
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))

    def imports(self) -> Iterator[tuple[str, int]]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module, node.lineno


Rule = Callable[[Module], Iterator[int]]
"""Gives the lines that break it."""


def only_gateways_know_stripe_and_the_network(module: Module) -> Iterator[int]:
    if not module.name.startswith("luma/services/gateways/"):
        for name, line in module.imports():
            if name.split(".")[0] in {"stripe", "httpx", "requests", "urllib3", "aiohttp"}:
                yield line


def only_models_set_a_status(module: Module) -> Iterator[int]:
    if module.name.startswith("luma/models/"):
        return
    for node in ast.walk(module.tree):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            if isinstance(target, ast.Attribute) and target.attr == "status":
                yield target.lineno


def only_the_clock_knows_the_time(module: Module) -> Iterator[int]:
    if module.name != "luma/services/clock.py":
        for call in module.calls():
            if _called(call) in {"now", "utcnow", "today"} and _owner(call) in {"datetime", "date"}:
                yield call.lineno


def only_the_door_commits(module: Module) -> Iterator[int]:
    if module.name != "luma/db.py":
        for call in module.calls():
            if _called(call) in {"commit", "rollback"} and isinstance(call.func, ast.Attribute):
                yield call.lineno


def only_migrations_make_tables(module: Module) -> Iterator[int]:
    for call in module.calls():
        if _called(call) in {"create_all", "drop_all"}:
            yield call.lineno


def every_relationship_is_loaded_by_name(module: Module) -> Iterator[int]:
    for call in module.calls():
        if _called(call) in {"relationship", "backref"}:
            lazy = {word.arg: word.value for word in call.keywords}.get("lazy")
            if not (isinstance(lazy, ast.Constant) and lazy.value == "raise"):
                yield call.lineno


def every_function_fits_on_a_screen(module: Module) -> Iterator[int]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield node.lineno


def every_file_is_short(module: Module) -> Iterator[int]:
    if module.lines > LONGEST_FILE:
        yield module.lines


def every_room_has_a_subject(module: Module) -> Iterator[int]:
    if NO_SUCH_ROOM & set(module.name.removesuffix(".py").split("/")):
        yield 1


def every_name_is_a_domain_word(module: Module) -> Iterator[int]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            name = node.name.lstrip("_")
            if name.startswith(NO_SUCH_VERB) and name not in NAMED_BY_OTHERS:
                yield node.lineno


def nothing_is_put_together_for_the_browser(module: Module) -> Iterator[int]:
    """A value inside props, slots, scripts or raw markup is code to somebody's browser."""
    for call in module.calls():
        if _called(call) in RAW_SINKS and any(map(_is_put_together, call.args)):
            yield call.lineno


def money_is_never_a_fraction(module: Module) -> Iterator[int]:
    if not _knows_money(module):
        return
    for node in ast.walk(module.tree):
        divides = isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div)
        if divides and not _is_path(node):
            yield _line(node)
        if isinstance(node, ast.Call) and _called(node) in {"float", "round"}:
            yield node.lineno


def only_settings_read_the_environment(module: Module) -> Iterator[int]:
    """Telling a library something by a variable is no reading."""
    if module.name in {"luma/settings.py", "luma/desktop/__init__.py"}:
        return
    for node in ast.walk(module.tree):
        if _is_environment(getattr(node, "value", None)):
            told = isinstance(getattr(node, "ctx", None), ast.Store)
            if not told and getattr(node, "attr", "") != "setdefault":
                yield _line(node)
        elif getattr(node, "attr", "") == "getenv":
            yield _line(node)


BROKEN: dict[Rule, str] = {
    only_gateways_know_stripe_and_the_network: "from stripe.webhook import x",
    only_models_set_a_status: "order.status = 'paid'",
    only_the_clock_knows_the_time: "from datetime import datetime\ndatetime.now()",
    only_the_door_commits: "session.commit()",
    only_migrations_make_tables: "Base.metadata.create_all(engine)",
    every_relationship_is_loaded_by_name: "owner = relationship(lazy='select')",
    every_function_fits_on_a_screen: "def long():\n" + "    pass\n" * 40,
    every_file_is_short: "pass\n" * 301,
    every_name_is_a_domain_word: "async def _get_course(): ...",
    nothing_is_put_together_for_the_browser: "ui.input().props(f'label={name}')",
    money_is_never_a_fraction: "from luma.values import Money\nhalf = price.minor / 2",
    only_settings_read_the_environment: "import os\nos.environ['LUMA_ENV']",
}
RULES = [*BROKEN, every_room_has_a_subject]

MODULES = [
    Module.of(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"))
    for path in sorted([*ROOT.glob("luma/**/*.py"), ROOT / "main.py"])
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_its_rules(rule: Rule) -> None:
    broken = [f"{module.name}:{line}" for module in MODULES for line in rule(module)]

    assert broken == []


@pytest.mark.parametrize(
    ("rule", "code"), BROKEN.items(), ids=lambda one: getattr(one, "__name__", "")
)
def test_a_rule_sees_what_it_forbids(rule: Rule, code: str) -> None:
    assert list(rule(Module.of("luma/pages/somewhere.py", code)))


@pytest.mark.parametrize("code", ["half = minor / 2", "minor /= 2", "float(minor)", "round(minor)"])
@pytest.mark.parametrize("name", ["services/money/shares.py", "models/ledger.py", "currencies.py"])
def test_a_fraction_is_seen_wherever_money_is_counted(name: str, code: str) -> None:
    assert list(money_is_never_a_fraction(Module.of(f"luma/{name}", code)))


def test_a_room_without_a_subject_is_seen() -> None:
    assert list(every_room_has_a_subject(Module.of("luma/services/utils.py", "")))


def test_what_is_put_together_is_seen_in_each_form() -> None:
    forms = ("f'{x}'", "'a' + x", "'%s' % x", "'{}'.format(x)", "' '.join(x)")

    for form in forms:
        module = Module.of("luma/pages/x.py", f"ui.run_javascript({form})")
        assert list(nothing_is_put_together_for_the_browser(module)), form


def test_migrations_know_nothing_of_today() -> None:
    known = [
        f"{path.name}:{line}"
        for path in ROOT.glob("alembic/versions/*.py")
        for name, line in Module.of(path.name, path.read_text("utf-8")).imports()
        if name.split(".")[0] == "luma"
    ]

    assert known == []


def test_nicegui_is_the_one_that_was_attacked() -> None:
    assert nicegui.__version__.startswith(guard.TRIED_WITH)


def test_passlib_is_the_maintained_one() -> None:
    assert tuple(map(int, passlib.__version__.split(".")[:2])) >= (1, 9)


def _called(call: ast.Call) -> str:
    return str(getattr(call.func, "attr", None) or getattr(call.func, "id", ""))


def _owner(call: ast.Call) -> str:
    value = getattr(call.func, "value", None)
    return str(getattr(value, "attr", None) or getattr(value, "id", ""))


def _line(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 0))


def _is_put_together(argument: ast.expr) -> bool:
    if isinstance(argument, ast.JoinedStr):
        return not all(isinstance(part, ast.Constant) or _is_own(part) for part in argument.values)
    if isinstance(argument, ast.Call):
        return _called(argument) in {"format", "join", "replace"}
    return isinstance(argument, ast.BinOp)


def _is_own(part: ast.expr) -> bool:
    """The address of one of our own files, which no visitor chooses."""
    value = getattr(part, "value", None)
    return isinstance(value, ast.Call) and ast.unparse(value.func) == "assets.address"


def _knows_money(module: Module) -> bool:
    """All that counts it, and whatever speaks of it elsewhere."""
    return module.name.startswith(COUNTS_MONEY) or any(
        isinstance(node, ast.ImportFrom)
        and node.module == "luma.values"
        and "Money" in {alias.name for alias in node.names}
        for node in ast.walk(module.tree)
    )


def _is_environment(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in {"environ", "environb"}


def _is_path(node: ast.AST) -> bool:
    """`folder / "name"` is no division."""
    right = getattr(node, "right", None)
    return isinstance(right, ast.JoinedStr) or (
        isinstance(right, ast.Constant) and isinstance(right.value, str)
    )
