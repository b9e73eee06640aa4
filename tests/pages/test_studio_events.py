"""What a hostile browser sends instead of a change: a sentence comes back, never a fault."""

from collections.abc import Callable

import pytest

from luma.errors import RuleBroken
from luma.pages.components.autosave_form import SaveWish, Unsaved
from luma.pages.components.course_tree import Change
from luma.pages.components.summary_panel import SummaryWish
from luma.pages.studio import feedback
from luma.services.feedback.results import Wish

NONSENSE: tuple[object, ...] = (
    None,
    5,
    "text",
    [],
    [1],
    {},
    {"kind": 1},
    {"kind": ["lesson"]},
    {"kind": {"a": 1}},
)


@pytest.mark.parametrize("said", NONSENSE)
def test_a_change_of_the_outline_that_is_none_is_refused(said: object) -> None:
    change = Change(said)

    asked: tuple[Callable[[], object], ...] = (
        lambda: change.kind,
        lambda: change.node("id"),
        lambda: change.text("title"),
        lambda: change.number("index"),
    )
    for ask in asked:
        with pytest.raises(RuleBroken, match="Load the page again"):
            ask()


@pytest.mark.parametrize("number", [-1, 2**53, 2**63, 1.5, True, "1", None, [1]])
def test_a_place_in_the_outline_is_a_whole_number_in_bounds(number: object) -> None:
    with pytest.raises(RuleBroken):
        Change({"index": number}).number("index")


def test_a_change_of_the_outline_is_read() -> None:
    change = Change({"kind": "lesson", "id": "les_a", "index": 3, "after": None})

    assert change.kind == "lesson"
    assert change.node("id") == "les_a"
    assert change.number("index") == 3
    assert change.number_or_none("after") is None


@pytest.mark.parametrize(
    "said",
    [
        *NONSENSE,
        {"subject": 1, "revision": 1, "values": {}, "attempt": 1},
        {"subject": "course", "revision": "1", "values": {}, "attempt": 1},
        {"subject": "course", "revision": True, "values": {}, "attempt": 1},
        {"subject": "course", "revision": 1, "values": [], "attempt": 1},
        {"subject": "course", "revision": 1, "values": {}, "attempt": None},
    ],
)
def test_a_save_that_is_none_is_refused(said: object) -> None:
    with pytest.raises(RuleBroken, match="Load the page again"):
        SaveWish.read(said)


def test_a_save_is_read() -> None:
    wish = SaveWish.read(
        {"subject": "course", "revision": 2, "values": {"title": 5}, "attempt": 9, "more": 1}
    )

    assert wish == SaveWish("course", 2, {"title": 5}, 9)


@pytest.mark.parametrize("said", [*NONSENSE[1:], {"subject": "course", "field": 1}])
def test_an_unsaved_field_that_is_none_is_refused(said: object) -> None:
    with pytest.raises(RuleBroken, match="Load the page again"):
        Unsaved.read(said)


def test_an_unsaved_field_is_read() -> None:
    assert Unsaved.read(None) is None
    assert Unsaved.read({"subject": "course", "field": "price"}) == Unsaved("course", "price")


@pytest.mark.parametrize(
    "said",
    [
        *NONSENSE,
        {"lesson": None, "question": "", "page": 1},
        {"lesson": "", "question": ["qst_a"], "page": 1},
        {"lesson": "", "question": "", "page": "1"},
        {"lesson": "", "question": "", "page": 0},
        {"lesson": "", "question": "", "page": True},
        {"lesson": "a" * 81, "question": "", "page": 1},
    ],
)
def test_a_filter_of_feedback_that_is_none_is_refused(said: object) -> None:
    with pytest.raises(RuleBroken, match="Load the page again"):
        feedback.read(said)


def test_a_filter_of_feedback_is_read() -> None:
    assert feedback.read({"lesson": "les_a", "question": "", "page": 2}) == Wish("les_a", "", 2)


@pytest.mark.parametrize(
    "said",
    [
        *NONSENSE,
        {"act": "publish", "lesson": "les_a", "revision": 1, "text": ""},
        {"act": "approve", "lesson": 5, "revision": 1, "text": ""},
        {"act": "approve", "lesson": "les_a", "revision": True, "text": ""},
        {"act": "approve", "lesson": "les_a", "revision": 1, "text": None},
    ],
)
def test_a_wish_for_a_summary_that_is_none_is_refused(said: object) -> None:
    with pytest.raises(RuleBroken, match="Load the page again"):
        SummaryWish.read(said)
