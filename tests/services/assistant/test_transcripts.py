"""What is pasted as a transcript becomes what was said."""

import pytest

from luma.services.assistant import extracts, transcripts

SRT = """1
00:00:01,000 --> 00:00:03,500
<i>Flour</i> is ground grain.

2
00:00:03,500 --> 00:00:06,000
{\\an8}It holds
the loaf together.
"""
VTT = """WEBVTT - Bread
Kind: captions

NOTE made by hand
and not said

STYLE
::cue { color: red }

intro
00:01.000 --> 00:03.000 align:start
<v Anna>Flour is <00:00:02.000><c>ground</c> grain.

00:03.000 --> 00:04.000
Flour is ground grain.

00:04.000 --> 00:06.000
It holds the loaf together.
"""
PASTED = "0:01\nFlour is ground grain.\n[1:02:03] It holds the loaf together."
SAID = "Flour is ground grain. It holds the loaf together."


@pytest.mark.parametrize("pasted", [SRT, VTT, "\ufeff" + SRT])
def test_subtitles_become_what_was_said(pasted: str) -> None:
    assert transcripts.plain(pasted) == SAID


def test_times_in_pasted_text_go_and_the_rest_stays() -> None:
    assert transcripts.plain(PASTED) == SAID.replace(". It", ".\nIt")


@pytest.mark.parametrize("text", [SRT, VTT, PASTED, "Plain.\n\nText <b> 10:30 stays."])
def test_read_twice_changes_nothing(text: str) -> None:
    once = transcripts.plain(text)

    assert transcripts.plain(once) == once


def test_plain_text_stays_as_it_is() -> None:
    text = "We meet at 10:30.\n\n1 < 2 and 3 > 2"

    assert transcripts.plain(text) == text


def test_a_long_talk_becomes_paragraphs() -> None:
    cues = [
        f"{number}\n00:{number:02}:00,000 --> 00:{number:02}:30,000\nSentence number {number} says"
        f" something about bread and flour.\n"
        for number in range(1, 40)
    ]

    paragraphs = transcripts.plain("\n".join(cues)).split("\n\n")

    assert len(paragraphs) > 3
    assert all(one.endswith(".") for one in paragraphs)


@pytest.mark.parametrize("text", ["", "no", "a" * 5000, "1 2 3. 4 5 6! 7?", "。" * 100])
def test_a_text_without_sentences_has_no_extract(text: str) -> None:
    assert extracts.central(text) == ""
