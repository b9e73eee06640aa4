"""A letter as it looks: the same words as plain text and as HTML, out of one pair of templates."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from luma.models.letter import Letter
from luma.services.post import seals
from luma.settings import settings

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=select_autoescape(["html.j2"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


class Paragraph(NamedTuple):
    is_quotation: bool
    lines: list[str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A letter as a mail program gets it."""

    text: str
    html: str


def on_paper(letter: Letter, *, with_token: bool) -> Sheet:
    """Without its token a letter may be shown to others than the one it is for."""
    known = {
        "subject": letter.subject,
        "greeting": letter.greeting,
        "paragraphs": [_paragraph(part) for part in letter.text.split("\n\n") if part.strip()],
        "words": letter.button_words,
        "address": _address(letter, with_token=with_token),
        "home": settings().base_url,
    }
    return Sheet(
        text=_templates.get_template("letter.txt.j2").render(known),
        html=_templates.get_template("letter.html.j2").render(known),
    )


def _paragraph(part: str) -> Paragraph:
    lines = part.strip().splitlines()
    if not lines[0].startswith("> "):
        return Paragraph(is_quotation=False, lines=lines)
    return Paragraph(is_quotation=True, lines=[line.removeprefix("> ") for line in lines])


def _address(letter: Letter, *, with_token: bool) -> str:
    if not letter.button_path:
        return ""
    shown = seals.token(letter.seed) if letter.seed and with_token else seals.HIDDEN
    return settings().base_url + letter.button_path.replace(seals.PLACE, shown)
