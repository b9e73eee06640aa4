"""Every form field and every address gets what it was not made for: a sentence, never a fault."""

from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import select

from luma.models.user import User
from tests.bad_values import BAD_TEXT
from tests.browser.school import School
from tests.factories import PASSWORD, make_published, make_user

FORMS = {
    "/sign-up": {
        "name": "Anna",
        "email": "bad-{}@example.org",
        "password": PASSWORD,
        "role": "student",
        "next": "/",
    },
    "/sign-in": {"email": "nobody-{}@example.org", "password": PASSWORD, "next": "/"},
    "/account/password": {"current": PASSWORD, "password": PASSWORD},
    "/sign-in/code": {"code": "123456", "next": "/"},
    "/sign-in/again": {"password": PASSWORD, "code": "", "next": "/"},
    "/account/second-factor/confirm": {"code": "123456"},
    "/account/second-factor/off": {"code": "123456"},
    "/account/delete": {"sure": "no"},
}
FIELDS = [(path, field) for path, form in FORMS.items() for field in form]

ADDRESSES = (
    "/?q={}",
    "/?subject={}",
    "/?price={}",
    "/?sort={}",
    "/?page={}",
    "/courses/{}",
    "/instructors/{}",
    "/courses/{}/review",
    "/courses/bread?order={}&reviews={}",
    "/reviews/{}/report",
    "/checkout/{}",
    "/checkout/{}/state",
    "/checkout/{}/events",
    "/learn/{}",
    "/learn/{}/{}",
    "/learn/{}/feedback",
    "/studio/{}",
    "/studio/{}/feedback?lesson={}&question={}&page={}",
    "/studio/{}/feedback.csv?lesson={}",
    "/studio/{}/feedback/form",
    "/sandbox/checkout/{}",
    "/images/{}",
    "/static/{}",
    "/sign-in?next={}",
    "/sign-up?next={}&role={}",
)


@pytest.fixture(scope="module")
def client(school: School) -> Iterator[httpx.Client]:
    """Signed in, and from a page of our own."""
    with school.session() as session:
        make_published(session, "Bread")
        make_user(session, "Rita", email="rita@example.org")
    with httpx.Client(base_url=school.url, headers={"Origin": school.url}, timeout=30) as client:
        answer = client.post("/sign-in", data={"email": "rita@example.org", "password": PASSWORD})
        assert answer.status_code == 303
        yield client


@pytest.fixture(autouse=True)
def _no_attempts_left_over(school: School) -> Iterator[None]:
    yield
    with school.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM sign_in_attempts")


@pytest.mark.parametrize(("path", "field"), FIELDS)
def test_a_form_answers_every_bad_value_with_a_page(
    client: httpx.Client, path: str, field: str
) -> None:
    for number, value in enumerate(BAD_TEXT):
        form = {name: text.format(number) for name, text in FORMS[path].items()}
        form[field] = value

        answer = client.post(path, content=_encoded(form), headers=FORM)

        assert answer.status_code < 500, f"{path} {field} = {value[:40]!r}"
        if answer.status_code >= 400:
            assert "LUMA" in answer.text, f"{path} {field} = {value[:40]!r}"
            assert "<script>alert" not in answer.text
        if answer.status_code == 303:
            assert answer.headers["location"].startswith("/")
            assert not answer.headers["location"].startswith("//")


def test_a_name_that_was_accepted_is_shown_as_it_was_typed(
    client: httpx.Client, school: School
) -> None:
    form = {**FORMS["/sign-up"], "name": "<b>Björn & Åsa</b>", "email": "bjorn@example.org"}

    client.post("/sign-up", content=_encoded(form), headers=FORM)

    with school.session() as session:
        kept = session.scalar(select(User.name).where(User.email == "bjorn@example.org"))
    assert kept == "<b>Björn & Åsa</b>"


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_answers_every_bad_value_with_a_page(client: httpx.Client, address: str) -> None:
    for value in BAD_TEXT:
        if len(value) > 20_000:
            continue
        odd = quote(value.encode("utf-8", "surrogatepass"), safe="")

        with client.stream("GET", address.replace("{}", odd)) as answer:
            assert answer.status_code < 500, f"{address} with {value[:40]!r}"


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "multipart/form-data; boundary=x", "text/plain", "multipart/form-data"],
)
def test_a_form_in_another_wrapping_is_refused_in_words(
    client: httpx.Client, content_type: str
) -> None:
    answer = client.post(
        "/sign-in", content=b'--x\r\n\0{"email": 1}', headers={"Content-Type": content_type}
    )

    assert 400 <= answer.status_code < 500
    assert "LUMA" in answer.text


def test_a_file_where_text_belongs_is_refused_in_words(client: httpx.Client) -> None:
    answer = client.post("/sign-in", files={"email": ("a.txt", b"hello")})

    assert answer.status_code == 400
    assert "LUMA" in answer.text


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _encoded(form: dict[str, str]) -> bytes:
    """As a browser would, but with the half characters left in."""
    parts = (f"{k}={quote(v.encode('utf-8', 'surrogatepass'), safe='')}" for k, v in form.items())
    return "&".join(parts).encode()
