"""Colours, icons and covers, from luma.css, for plain pages and NiceGUI pages alike."""

import re
from functools import lru_cache
from html import escape
from typing import Literal
from zlib import crc32

from lucide.jinja import lucide
from markupsafe import Markup
from nicegui import app
from starlette.requests import Request

from luma.pages import assets, shell

COOKIE = "theme"
TINTS = 12

_TOKEN = re.compile(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)")

Choice = Literal["light", "dark"]


@lru_cache
def tokens() -> dict[str, tuple[str, str]]:
    """Each colour by its name in luma.css, as it is in light and in dark."""
    css = (assets.FOLDER / "luma.css").read_text()
    return {name: (light, dark) for name, light, dark in _TOKEN.findall(css)}


def choice(request: Request) -> Choice | None:
    """What the visitor chose with the switch; None follows the system."""
    chosen = request.cookies.get(COOKIE)
    return chosen if chosen in ("light", "dark") else None  # type: ignore[return-value]  # narrowed


@lru_cache(maxsize=256)
def icon(name: str, extra: str = "", label: str = "") -> Markup:
    """A Lucide icon as inline SVG. Without a label it is decoration beside words."""
    spoken = {"role": "img", "aria-label": label} if label else {"aria-hidden": "true"}
    classes = {"class": f"icon {extra}".strip()}
    return Markup(lucide(name, size=None, **classes, **spoken))  # noqa: S704  (the package's own files)


def tint(key: str) -> int:
    """Which of the cover tints a course has: the same one for ever, by its lasting id."""
    return crc32(key.encode()) % TINTS


def initial(title: str) -> str:
    """The letter on a generated cover."""
    return next((sign.upper() for sign in title if sign.isalnum()), "·")[:1]


@lru_cache(maxsize=1024)
def cover(title: str, key: str, image_id: str | None = None) -> Markup:
    """A course's picture, or the generated one. Decoration: the title stands beside it."""
    inside = (
        f'<img src="/images/{escape(image_id)}" alt="" loading="lazy" width="640" height="360">'
        if image_id
        else f"<span>{escape(initial(title))}</span>"
    )
    return Markup(f'<div class="cover tint-{tint(key)}" aria-hidden="true">{inside}</div>')  # noqa: S704  (escaped)


def dress() -> None:
    """Give Quasar LUMA's colours. Called once, by app."""
    app.colors(
        primary="var(--primary)",
        secondary="var(--muted)",
        accent="var(--light)",
        dark="var(--surface)",
        dark_page="var(--paper)",
        positive="var(--positive)",
        negative="var(--negative)",
        info="var(--muted)",
        warning="var(--warning)",
    )


def follow(request: Request) -> None:
    """Light or dark as this visitor chose, on the NiceGUI page being built."""
    shell.in_theme(request, choice(request))
