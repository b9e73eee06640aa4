"""The look, computed: contrast of every pair of colours that meet, covers that stay the same."""

import pytest

from luma.pages import theme

LIGHT, DARK = 0, 1
TEXT = [
    (ink, ground)
    for ink in ("ink", "muted", "positive", "warning", "negative")
    for ground in ("paper", "surface")
]


def luminance(colour: str) -> float:
    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str, mode: int) -> float:
    colours = theme.tokens()
    pair = sorted((luminance(colours[one][mode]), luminance(colours[other][mode])))
    return (pair[1] + 0.05) / (pair[0] + 0.05)


@pytest.mark.parametrize("mode", [LIGHT, DARK])
@pytest.mark.parametrize(("ink", "ground"), [*TEXT, ("on-primary", "primary")])
def test_text_can_be_read(ink: str, ground: str, mode: int) -> None:
    assert contrast(ink, ground, mode) >= 4.5


@pytest.mark.parametrize("mode", [LIGHT, DARK])
@pytest.mark.parametrize("ground", ["paper", "surface"])
def test_the_edges_of_controls_can_be_seen(ground: str, mode: int) -> None:
    assert contrast("edge", ground, mode) >= 3


def test_a_course_keeps_its_tint() -> None:
    assert theme.tint("crs_7kq2m9x4c6t8") == theme.tint("crs_7kq2m9x4c6t8")
    assert {theme.tint(f"crs_{number}") for number in range(200)} == set(range(theme.TINTS))


@pytest.mark.parametrize(
    ("title", "letter"),
    [("bread", "B"), ("  «Ölmalerei»", "Ö"), ("日本語", "日"), ("***", "·"), ("ßaum", "S")],
)
def test_the_letter_of_a_cover(title: str, letter: str) -> None:
    assert theme.initial(title) == letter


def test_a_cover_escapes_what_it_shows() -> None:
    assert "<span>&lt;" not in theme.cover("<b>", "crs_1")
    assert '"><script>' not in theme.cover("T", "crs_1", '"><script>')


def test_icons_are_inline_and_hushed_unless_named() -> None:
    assert 'aria-hidden="true"' in theme.icon("search")
    assert 'aria-label="Search"' in theme.icon("search", label="Search")
    assert "style=" not in theme.icon("search")
