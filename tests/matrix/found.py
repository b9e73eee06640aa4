"""What there is to be guarded, read from the code itself, so that nothing new stays out."""

import ast
import importlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from luma import app

PAGES = Path(app.__file__).parent / "pages"
DOORS = {"act": 0, "act_in": 1}
"""By which name a page acts for somebody, and which argument is the service."""


def services() -> set[str]:
    """Every service that pages call in somebody's name, as "studio.publish"."""
    return {name for path in PAGES.rglob("*.py") for name in _acted(ast.parse(path.read_text()))}


def routes() -> set[str]:
    """Every address, as "POST /courses/{slug}/buy"."""
    routers = (*app.PLAIN, *app.BEHIND_SIGN_IN)
    return {
        f"{method} {path}"
        for router in routers
        for path, methods in _walked(router.routes)
        for method in methods - {"HEAD"}
    }


def _walked(routes: Iterable[object]) -> Iterator[tuple[str, set[str]]]:
    for route in routes:
        if (inner := getattr(route, "original_router", None)) is not None:
            yield from _walked(inner.routes)
        else:
            yield route.path, set(route.methods or ())  # type: ignore[attr-defined]


def _acted(tree: ast.Module) -> Iterator[str]:
    modules = dict(_imported(tree))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        place = DOORS.get(node.func.id)
        if place is None or len(node.args) <= place:
            continue
        named = list(_named(node.args[place], modules))
        yield from named or [f"nothing that a table could name: {ast.unparse(node)}"]


def _named(service: ast.expr, modules: Mapping[str, str]) -> Iterator[str]:
    for part in ast.walk(service):
        owner = str(getattr(getattr(part, "value", None), "id", ""))
        if isinstance(part, ast.Attribute) and owner in modules:
            yield f"{modules[owner]}.{part.attr}"


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Names of service modules in this file, and what each is called in the tables."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("luma.services"):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield alias.asname or alias.name, whole.removeprefix("luma.services.")


def called(name: str) -> object:
    """The service function of this name."""
    module, _, function = name.rpartition(".")
    return getattr(importlib.import_module(f"luma.services.{module}"), function)
