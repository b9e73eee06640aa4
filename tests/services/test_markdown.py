import re

import pytest

from luma.services import markdown


def test_markdown_becomes_html() -> None:
    html = markdown.render("# Title\n\n**bold** ~~gone~~\n\n|a|\n|-|\n|1|")

    assert "<h2>Title</h2>" in html
    assert "<strong>bold</strong> <s>gone</s>" in html
    assert "<td>1</td>" in html


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[go](javascript:alert(1))",
        "[go](data:text/html,x)",
        "![picture](https://elsewhere.example/p.png)",
        '<form action="https://elsewhere.example"><input name=password></form>',
        '<a href="https://x.example" style="position:fixed">x</a>',
        '[x](https://x.example "onmouseover=alert(1)")',
        "<javascript:alert(1)>",
        "```<script>\nalert(1)\n```",
    ],
)
def test_nothing_hostile_comes_through(hostile: str) -> None:
    tags = " ".join(re.findall(r"<[^>]*>", markdown.render(hostile)))

    assert not re.search(r"<(script|img|form|input|iframe|style)", tags)
    assert not re.search(r"(javascript|data):| (style|class|id|on\w+)=", tags)


def test_links_lend_no_weight_and_no_window() -> None:
    assert 'rel="nofollow noopener"' in markdown.render("[a](https://a.example)")


def test_plain_words_are_cut_at_a_word() -> None:
    text = "# Bread & *butter* <3\n\nFlour, water, salt and time."

    assert markdown.plain(text, 200) == "Bread & butter <3 Flour, water, salt and time."
    assert markdown.plain(text, 30) == "Bread & butter <3 Flour…"


def test_the_longest_text_does_not_hang() -> None:
    assert markdown.render("[" * 20_000)
    assert markdown.render("> " * 2_000 + "x")
