"""Names, pictures, a few words, and the page of an instructor."""

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from PIL import Image as Pillow
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from luma import db
from luma.errors import LumaError, NotFound, RuleBroken, TooLarge
from luma.models.course import Image
from luma.models.profile import Profile
from luma.models.user import User
from luma.services import (
    accounts,
    catalogue,
    clock,
    instructors,
    landing,
    portraits,
    profiles,
)
from luma.services.accounts import Visit
from luma.services.policies import Actor
from luma.services.wishes import Wish
from luma.values import Role
from tests.bad_values import BAD_JSON
from tests.factories import actor, enrol, make_course, make_instructor, make_user, password_hash

HERE = Visit("203.0.113.7", "Firefox")


def file(width: int, height: int, form: str = "PNG") -> bytes:
    content = io.BytesIO()
    Pillow.new("RGB", (width, height), "#f2a516").save(content, form)
    return content.getvalue()


def slug_of(session: Session, user: User) -> str:
    return session.scalars(select(Profile.slug).where(Profile.user_id == user.id)).one()


def test_a_name_and_words_are_kept_and_courses_are_found_by_the_new_name(session: Session) -> None:
    course = make_course(session, "Bread", published=True)
    who = actor(course.instructor)

    profiles.save(session, who, " Zofia  Malik ", "I *bake*.")

    session.flush()
    session.expire_all()
    mine = profiles.mine(session, replace(who, name=session.get_one(User, who.id).name))
    assert (mine.name, mine.about) == ("Zofia Malik", "I *bake*.")
    assert [card.title for card in catalogue.shelf(session, Wish("zofia")).cards] == ["Bread"]


def test_a_student_has_a_profile_but_no_page(session: Session) -> None:
    sam = make_user(session, "Sam")

    profiles.save(session, actor(sam), "Sam", "I learn.")

    assert profiles.mine(session, actor(sam)).slug is None
    with pytest.raises(NotFound):
        instructors.page(session, slug_of(session, sam))


@pytest.mark.parametrize("field", ["name", "about"])
def test_every_bad_value_is_refused_in_words(session: Session, field: str) -> None:
    who = actor(make_instructor(session))
    for value in BAD_JSON:
        said = {"name": "Anna", "about": "", field: value}
        outcome = attempt(session, who, said)
        assert outcome.endswith(".") or isinstance(value, str), value


def attempt(session: Session, who: Actor, said: dict[str, object]) -> str:
    """The refusal; "" when it was taken."""
    try:
        with session.begin_nested():
            profiles.save(session, who, **said)
    except LumaError as refusal:
        return str(refusal)
    return ""


def test_whoever_begins_to_teach_gets_an_address(session: Session) -> None:
    token = accounts.sign_up(
        session, "Žofie Ševčíková", "zofie@example.org", password_hash(), Role.INSTRUCTOR, HERE
    )
    later = make_user(session, "Žofie Ševčíková")

    accounts.begin_teaching(session, actor(later))
    accounts.begin_teaching(session, actor(later))

    viewer = accounts.viewer(session, accounts.key_of(token))
    assert viewer is not None
    assert profiles.mine(session, viewer).slug == "zofie-sevcikova"
    assert slug_of(session, later) == "zofie-sevcikova-2"


def test_a_name_without_plain_letters_has_an_address_too(session: Session) -> None:
    assert slug_of(session, make_instructor(session, "渡辺")) == "instructor"


@pytest.mark.usefixtures("fresh_database")
def test_many_of_one_name_at_once_get_addresses_of_their_own() -> None:
    with db.unit_of_work() as session:
        people = [make_user(session, "Anna Berg").id for _ in range(8)]

    def begin(user_id: int) -> None:
        with db.unit_of_work() as session:
            profiles.open_for(session, user_id)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(begin, people + people))

    with db.unit_of_work() as session:
        slugs = set(session.scalars(select(Profile.slug)))
    assert slugs == {"anna-berg", *(f"anna-berg-{number}" for number in range(2, 9))}


def test_a_picture_is_drawn_anew_and_square() -> None:
    drawn = portraits.drawn(file(900, 600, "JPEG"))

    with Pillow.open(io.BytesIO(drawn.content)) as picture:
        assert (picture.format, picture.size) == ("WEBP", (480, 480))


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", RuleBroken),
        (b"<svg onload=alert(1)>", RuleBroken),
        (b"GIF89a", RuleBroken),
        (file(90, 400), RuleBroken),
        (file(400, 400)[:200], RuleBroken),
        (b"\x89PNG" + b"\0" * 8_000_001, TooLarge),
    ],
)
def test_what_is_no_picture_is_refused_in_words(content: bytes, refusal: type[LumaError]) -> None:
    with pytest.raises(refusal):
        portraits.drawn(content)


def test_a_new_picture_takes_the_place_of_the_old(session: Session) -> None:
    anna = actor(make_user(session))
    for _ in range(2):
        portraits.put(session, anna, portraits.drawn(file(200, 200)))

    assert session.scalar(select(func.count(Image.id))) == 1
    assert profiles.mine(session, anna).picture is not None

    portraits.remove(session, anna)
    portraits.remove(session, anna)
    assert session.scalar(select(func.count(Image.id))) == 0
    assert profiles.mine(session, anna).picture is None


def test_a_page_shows_what_is_on_sale_and_counts_each_student_once(session: Session) -> None:
    ines = make_instructor(session, "Ines Weber")
    bread, cake = (
        make_course(session, title, instructor=ines, published=True) for title in ("Bread", "Cake")
    )
    make_course(session, "Draft", instructor=ines)
    make_course(session, "Foreign", published=True)
    sam = make_user(session)
    enrol(session, sam, bread)
    enrol(session, sam, cake)
    profiles.save(session, actor(ines), "Ines Weber", "I bake.")

    page = instructors.page(session, slug_of(session, ines))

    assert {card.title for card in page.courses} == {"Bread", "Cake"}
    assert (page.students, page.promise) == (1, "I bake.")
    assert slug_of(session, ines) in [entry.slug for entry in instructors.listed(session)]
    assert landing.course_page(session, bread.slug)[0].instructor_slug == page.slug


def test_before_the_first_course_only_the_instructor_sees_the_page(session: Session) -> None:
    ines, other = make_instructor(session), make_instructor(session)
    make_course(session, instructor=ines)
    slug = slug_of(session, ines)

    assert instructors.page(session, slug, ines.id).courses == ()
    for viewer in (None, other.id):
        with pytest.raises(NotFound):
            instructors.page(session, slug, viewer)
    assert instructors.listed(session) == []


def test_a_disabled_instructor_has_no_page(session: Session) -> None:
    course = make_course(session, published=True)
    course.instructor.disabled_at = clock.now()
    session.flush()

    with pytest.raises(NotFound):
        instructors.page(session, slug_of(session, course.instructor))
    assert instructors.listed(session) == []
