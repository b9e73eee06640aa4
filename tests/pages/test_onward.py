"""Where somebody was going, and what they are told about it."""

import pytest
from sqlalchemy.orm import Session

from luma.pages.shop import onward
from tests.factories import make_course, make_published


@pytest.mark.parametrize("end", ["", "/buy", "/enrol"])
async def test_the_course_on_the_way_is_named(session: Session, end: str) -> None:
    course = make_published(session, "Bread for beginners")

    assert await onward.buying(f"/courses/{course.slug}{end}") == "Bread for beginners"


async def test_a_draft_is_named_to_nobody(session: Session) -> None:
    course = make_course(session, "Secret plans")

    assert await onward.buying(f"/courses/{course.slug}/buy") is None


@pytest.mark.parametrize(
    "where", ["", "/", "/studio", "/courses/", "/courses/no-such", "/courses/a/b/c", "/courses/\0",
              "https://evil.example/courses/bread", "/courses/" + "a" * 5000]
)  # fmt: skip
async def test_other_ways_name_nothing(session: Session, where: str) -> None:
    assert await onward.buying(where) is None


@pytest.mark.parametrize(
    "where", ["https://evil.example/", "//evil.example/", "/\\evil.example", "evil", "/a\r\nb: c",
              "javascript:alert(1)", "http://[", "/" + "a" * 600]
)  # fmt: skip
def test_nobody_is_led_off_this_site(where: str) -> None:
    assert onward.safe(where) == ""
