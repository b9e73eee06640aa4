from datetime import UTC, datetime

import pytest

from luma.pages import words


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, ""), (-5, ""), (20, "1 min"), (600, "10 min"), (3600, "1 h"), (12_000, "3 h 20 min")],
)
def test_lengths_of_courses(seconds: int, said: str) -> None:
    assert words.length(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0:00"), (65, "1:05"), (3723, "1:02:03"), (-1, "0:00")]
)
def test_places_in_a_lesson(seconds: int, said: str) -> None:
    assert words.clock(seconds) == said


def test_counts_are_worded_properly() -> None:
    assert [words.counted(number, "lesson") for number in (0, 1, 1200)] == [
        "0 lessons",
        "1 lesson",
        "1,200 lessons",
    ]
    assert words.counted(2, "person", "people") == "2 people"


def test_machines_and_days() -> None:
    assert (words.span(12_000), words.span(300)) == ("PT3H20M", "PT5M")
    assert words.day(datetime(2026, 11, 3, tzinfo=UTC)) == "3 November 2026"
