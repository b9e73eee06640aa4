"""The page around what NiceGUI draws: its text first, its files in one script and one sheet.

A page that uses no widget of Quasar's says so, `without_quasar`; then a small stand-in of ours
(static/light.js) takes Quasar's place, and a first visit is a third of the bytes.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import nicegui
from jinja2 import DictLoader, Environment, select_autoescape
from nicegui import client
from starlette.requests import Request
from starlette.templating import Jinja2Templates

from luma.pages import assets

FILES = Path(nicegui.__file__).parent / "static"
TEMPLATE = Path(__file__).with_name("shell.html.j2")
LUMA = "luma.css"
SOCKET, QUASAR, ENGLISH = "socket.io.min.js", "quasar.umd.prod.js", "lang/en-US.umd.prod.js"

MARGINS = """
blockquote, dd, dl, figure, h1, h2, h3, h4, h5, h6, hr, p, pre { margin: revert-layer; }
code, kbd, pre, samp { font-family: revert-layer; }
.q-position-engine { visibility: hidden; }
"""
"""Where Quasar must not have its way, and its menus not before they have a place."""


def slim() -> None:
    """Have NiceGUI draw its pages with our template. After the guard, which gave NiceGUI's nonces.

    The template is written for the version of NiceGUI that the guard insists on.
    """
    assets.make("nicegui.css", _sheet)
    assets.make("nicegui.js", lambda: _script(_of_nicegui(SOCKET, QUASAR, "nicegui.js", ENGLISH)))
    assets.make("nicegui-light.js", lambda: _script([*_light(), *_of_nicegui("nicegui.js")]))
    environment = Environment(
        loader=DictLoader({"index.html": TEMPLATE.read_text()}),
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = assets.address
    environment.globals["late"] = (assets.FOLDER / "late.js").read_text()
    client.templates = Jinja2Templates(env=environment)


def without_quasar(request: Request, sheet: str, modules: Sequence[str] = ()) -> None:
    """The NiceGUI page being built uses none of Quasar's widgets, neither now nor later.

    Its text is painted before its scripts are fetched (static/late.js). `sheet` is its own
    stylesheet, which comes in one file with luma.css; `modules` are what its components import.
    """
    request.state.is_light = True
    request.state.modules = modules
    request.state.sheets = (_with_luma(sheet),)


def in_theme(request: Request, chosen: str | None) -> None:
    """The NiceGUI page being built is light or dark from its first moment; None: as the system."""
    request.state.theme = chosen


@lru_cache
def _with_luma(sheet: str) -> str:
    name = f"luma-{sheet}"
    assets.make(name, lambda: "\n".join((assets.FOLDER / one).read_text() for one in (LUMA, sheet)))
    return name


def _light() -> list[str]:
    own = [(assets.FOLDER / name).read_text() for name in ("head.js", "light.js")]
    return [*_of_nicegui(SOCKET), *own]


def _of_nicegui(*names: str) -> list[str]:
    return [(FILES / name).read_text() for name in names]


def _script(files: list[str]) -> str:
    """One after the other, as separate script tags would run them."""
    return re.sub(r"^//# sourceMappingURL=.*$", "", "\n;\n".join(files), flags=re.MULTILINE)


def _sheet() -> str:
    """In the layers where NiceGUI has them. Cards of LUMA's own are not for Quasar's rule."""
    fonts, plain, firm, own = _of_nicegui(
        "fonts.css", "quasar.unimportant.prod.css", "quasar.important.prod.css", "nicegui.css"
    )
    plain = plain.replace(".q-card>div", ".nicegui-card-tight.q-card>div")
    layers = {
        "base": _icons(fonts),
        "quasar": plain + MARGINS,
        "quasar_importants": firm,
        "nicegui": own,
    }
    return "\n".join(f"@layer {name} {{\n{css}\n}}" for name, css in layers.items())


def _icons(fonts: str) -> str:
    """The one icon font that Quasar falls back to, fetched when such an icon is shown."""
    address = f"url(/_nicegui/{nicegui.__version__}/static/fonts/"
    blocks = re.findall(r"[^{}]+{[^{}]*}", fonts.replace("url(fonts/", address))
    return "".join(block for block in blocks if '"Material Icons"' in block)
