"""The plain pages as any program gets them: what is in the HTML, without a browser."""

import json
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request
from sqlalchemy.orm import Session
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from luma.errors import LumaError
from luma.models.course import Course
from luma.pages import assets
from luma.pages.shop import catalogue, course, instructor, sitemap
from luma.pages.shop.errors import error_page
from luma.pages.shop.render import leave_note, render
from luma.services import profiles, search
from luma.services.policies import Actor
from luma.values import Money
from tests.bad_values import BAD_TEXT
from tests.factories import actor, enrol, make_course, make_published, make_user

BASE = "http://127.0.0.1:8080"
HOSTILE = '</script><script>alert(1)</script> & "quotes" {{ 7*7 }} \' <b>'


class Looking:
    """Stands for the session code: whoever the test names is looking."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.viewer: Actor | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {}).update(viewer=self.viewer, csp_nonce="n0nce")
        await self.app(scope, receive, send)


def shop() -> Looking:
    app = FastAPI(openapi_url=None)
    for module in (assets, catalogue, course, instructor, sitemap):
        app.include_router(module.router)

    @app.exception_handler(LumaError)
    def _refused(request: Request, error: LumaError) -> Response:
        return error_page(request, error.status, str(error))

    @app.get("/said")
    def _said() -> Response:
        response = PlainTextResponse("")
        leave_note(response, "You are <enrolled>; come in, Łukasz.")
        return response

    @app.get("/shown")
    def _shown(request: Request) -> Response:
        return render(request, "error.html.j2", title="Title", sentence="Sentence")

    return Looking(app)


@pytest.fixture
def looking(session: Session) -> Looking:
    return shop()


@pytest.fixture
async def web(looking: Looking) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=looking)
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


def put(session: Session, title: str) -> Course:
    made = make_published(session, title)
    search.refresh(session, made)
    session.flush()
    return made


async def test_the_catalogue_is_whole_without_scripts(
    web: httpx.AsyncClient, session: Session
) -> None:
    made = put(session, "Crème brûlée")

    page = await web.get("/?q=creme")

    assert page.status_code == 200
    assert f'href="/courses/{made.slug}"' in page.text
    assert "1 of 1 course for “creme”" in page.text
    assert "$49" in page.text
    assert '<link rel="canonical" href="http://127.0.0.1:8080/">' in page.text


async def test_filters_are_links_that_keep_each_other(
    web: httpx.AsyncClient, session: Session
) -> None:
    put(session, "Bread")

    page = await web.get("/?q=bread&subject=craft&sort=title")

    assert 'href="/?q=bread&amp;subject=craft&amp;price=free&amp;sort=title"' in page.text
    assert 'href="/?q=bread&amp;sort=title"' in page.text


async def test_a_script_gets_the_shelf_alone(web: httpx.AsyncClient, session: Session) -> None:
    put(session, "Bread")

    part = await web.get("/", headers={"X-Part": "shelf"})

    assert "Bread" in part.text
    assert "<html" not in part.text
    assert "X-Part" in part.headers["vary"]


async def test_nothing_found_quotes_the_words_and_offers_others(
    web: httpx.AsyncClient, session: Session
) -> None:
    put(session, "Bread")

    page = await web.get("/?q=%3Cb%3Equark")

    assert "Nothing found for “&lt;b&gt;quark”" in page.text
    assert "Clear filters" in page.text
    assert "Bread" in page.text


async def test_an_empty_school_says_so(web: httpx.AsyncClient) -> None:
    assert "This school has just opened" in (await web.get("/")).text


@pytest.mark.parametrize("value", BAD_TEXT)
async def test_whatever_stands_in_the_address_there_is_a_page(
    web: httpx.AsyncClient, session: Session, value: str
) -> None:
    put(session, "Bread")
    text = value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")[:2_000]

    for name in ("q", "subject", "price", "sort", "page"):
        assert (await web.get("/", params={name: text})).status_code == 200


async def test_a_course_page_tells_search_engines_what_it_is(
    web: httpx.AsyncClient, session: Session
) -> None:
    made = make_course(session, HOSTILE, price=Money(4950, "usd"), published=True)

    page = await web.get(f"/courses/{made.slug}")

    found = re.findall(
        r'<script type="application/ld\+json" nonce="n0nce">(.*?)</script>', page.text
    )
    [thing] = map(json.loads, found)
    assert "<" not in found[0]
    assert thing["@type"] == "Course"
    assert thing["name"] == HOSTILE
    assert thing["offers"]["price"] == "49.50"
    assert thing["offers"]["priceCurrency"] == "USD"
    assert f'<link rel="canonical" href="{BASE}/courses/{made.slug}">' in page.text
    assert '<meta property="og:title"' in page.text
    assert "<script>alert" not in page.text


async def test_a_course_page_is_whole_without_scripts(
    web: httpx.AsyncClient, session: Session
) -> None:
    made = put(session, "Bread")
    flour, water = made.chapters[0].lessons
    flour.is_preview, flour.video_start = True, 42
    water.video_id = "aircAruvnKk"
    session.flush()

    page = await web.get(f"/courses/{made.slug}?preview={flour.public_id}")

    assert f'action="/courses/{made.slug}/buy"' in page.text
    assert "Buy for $49" in page.text
    assert 'src="https://www.youtube-nocookie.com/embed/M7lc1UVf-VE?' in page.text
    assert "start=42" in page.text
    assert "aircAruvnKk" not in page.text


async def test_a_locked_lesson_does_not_play(web: httpx.AsyncClient, session: Session) -> None:
    made = put(session, "Bread")

    page = await web.get(f"/courses/{made.slug}?preview={made.chapters[0].lessons[0].public_id}")

    assert "<iframe" not in page.text
    assert "M7lc1UVf-VE" not in page.text


async def test_the_one_button_depends_on_who_looks(
    web: httpx.AsyncClient, looking: Looking, session: Session
) -> None:
    made = put(session, "Bread")
    free = put(session, "Water")
    free.price = Money(0, "usd")
    student = make_user(session)
    enrol(session, student, made)
    session.flush()
    first = made.chapters[0].lessons[0].public_id
    learner, teacher = actor(student), actor(made.instructor)

    assert "Enrol free" in (await web.get(f"/courses/{free.slug}")).text
    looking.viewer = learner
    theirs = (await web.get(f"/courses/{made.slug}")).text
    assert "Start learning" in theirs
    assert f'href="/learn/{made.slug}/{first}"' in theirs
    assert "Buy for" not in theirs
    looking.viewer = teacher
    own = (await web.get(f"/courses/{made.slug}")).text
    assert "You teach this: edit" in own
    assert f'href="/studio/{made.public_id}"' in own


async def test_a_draft_answers_as_if_it_were_not_there(
    web: httpx.AsyncClient, session: Session
) -> None:
    draft = make_course(session, "Secret")

    page = await web.get(f"/courses/{draft.slug}")

    assert page.status_code == 404
    assert "Nothing here" in page.text
    assert "Secret" not in page.text
    assert (await web.get("/courses/never-was")).text.count("There is no such course") == 1


async def test_the_sitemap_lists_what_is_on_sale(web: httpx.AsyncClient, session: Session) -> None:
    made = put(session, "Bread")
    make_course(session, "Secret")
    updated = made.updated_at

    sitemap = await web.get("/sitemap.xml")
    robots = await web.get("/robots.txt")

    assert re.findall("<loc>(.*?)</loc>", sitemap.text) == [
        f"{BASE}/",
        f"{BASE}/courses/{made.slug}",
        f"{BASE}/instructors/ines-weber",
    ]
    assert f"<lastmod>{updated.date().isoformat()}</lastmod>" in sitemap.text
    assert f"Sitemap: {BASE}/sitemap.xml" in robots.text
    assert "Disallow: /studio" in robots.text


async def test_a_link_to_a_course_has_a_picture(web: httpx.AsyncClient, session: Session) -> None:
    latin, other = put(session, "Øl og brød"), put(session, "日本語")

    for made, letter in ((latin, "O"), (other, "-")):
        page = await web.get(f"/courses/{made.slug}")
        [address] = re.findall('<meta property="og:image" content="(.*?)">', page.text)
        picture = await web.get(address)
        assert address == f"{BASE}/covers/{letter}.png"
        assert picture.content.startswith(b"\x89PNG")
    for wrong in ("%E6%97%A5", "AB", "%C3%98", "%00"):
        assert (await web.get(f"/covers/{wrong}.png")).status_code == 404


async def test_programs_may_ask_for_the_headers_alone(
    web: httpx.AsyncClient, session: Session
) -> None:
    made = put(session, "Bread")

    for address in ("/", f"/courses/{made.slug}", "/sitemap.xml", "/robots.txt"):
        assert (await web.head(address)).status_code == 200


async def test_a_note_is_shown_once_and_only_ours(web: httpx.AsyncClient) -> None:
    await web.get("/said")

    first, second = await web.get("/shown"), await web.get("/shown")

    assert "You are &lt;enrolled&gt;; come in, Łukasz." in first.text
    assert "come in" not in second.text
    web.cookies.set("note", "positive.0123456789abcdef.Send%20money")
    assert "Send money" not in (await web.get("/shown")).text


async def test_the_switch_is_kept_in_a_cookie(web: httpx.AsyncClient) -> None:
    assert '<html lang="en">' in (await web.get("/shown")).text
    web.cookies.set("theme", "dark")
    assert '<html lang="en" data-theme="dark">' in (await web.get("/shown")).text
    web.cookies.set("theme", '"><script>')
    assert '<html lang="en">' in (await web.get("/shown")).text


async def test_files_are_kept_until_they_change(web: httpx.AsyncClient) -> None:
    address = assets.address("luma.css")

    file = await web.get(address)
    again = await web.get(address, headers={"If-None-Match": file.headers["etag"]})

    assert file.headers["cache-control"].endswith("immutable")
    assert file.headers["content-encoding"] == "gzip"
    assert again.status_code == 304
    assert (await web.get("/static/luma.css")).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ["nothing.css", "..%2Ftheme.py", "%2e%2e/theme.py", "."])
async def test_nothing_else_is_a_file(web: httpx.AsyncClient, name: str) -> None:
    assert (await web.get(f"/static/{name}")).status_code == 404


async def test_names_of_nothing_push_no_file_out_of_memory(
    web: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = assets.address("luma.css")
    for number in range(100):
        await web.get(f"/static/luma{number}.css")
    monkeypatch.setattr(assets, "FOLDER", assets.FOLDER / "gone")

    assert (await web.get(address)).status_code == 200


async def test_the_first_visit_is_light(web: httpx.AsyncClient, session: Session) -> None:
    for number in range(24):
        put(session, f"A course with a title of its own, number {number}")

    page = await web.get("/")
    linked = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
    bodies = [assets.FOLDER.joinpath(address.split("/")[2].split("?")[0]) for address in linked]

    assert 1 + len(linked) <= 8
    assert sum(file.stat().st_size for file in bodies if file.suffix == ".js") <= 15_000
    assert len(page.content) <= 30_000


async def test_no_page_has_inline_script_or_style(web: httpx.AsyncClient, session: Session) -> None:
    made = put(session, "Bread")

    for address in ("/", "/?q=nothing", f"/courses/{made.slug}", "/shown", "/courses/none"):
        page = (await web.get(address)).text
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", page)
        assert re.findall(r"<script(?! src=| type=\"application/ld\+json\" nonce=)", page) == []


async def test_an_instructors_page_is_whole_html_and_leads_to_their_courses(
    web: httpx.AsyncClient, session: Session
) -> None:
    made = put(session, "Bread")
    profiles.save(session, actor(made.instructor), HOSTILE, f"I *bake*. {HOSTILE}")
    course_page = await web.get(f"/courses/{made.slug}")

    page = await web.get("/instructors/ines-weber")

    assert 'href="/instructors/ines-weber"' in course_page.text
    assert page.status_code == 200
    assert f'href="/courses/{made.slug}"' in page.text
    assert "<em>bake</em>" in page.text
    assert "<script>alert" not in page.text + course_page.text
    assert (await web.get("/instructors/nobody")).status_code == 404
