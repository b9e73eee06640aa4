"""Attacks by plain requests: foreign names and origins, long bodies, uploads, proxies' headers."""

from typing import Any

import httpx
import pytest

from tests.pages.test_guard.attacker import Server

PICTURE = ("picture.png", b"x" * 100, "image/png")


def test_a_change_asked_from_another_site_is_refused(server: Server) -> None:
    answer = server.visitor("ann").post("/orders", origin="https://evil.example")

    assert (answer.status_code == 403) is server.is_guarded
    assert (server.done == ["order"]) is not server.is_guarded


@pytest.mark.parametrize("origin", ["null", "https://127.0.0.1", "http://127.0.0.1", "file://"])
def test_only_the_very_origin_is_ours(server: Server, origin: str) -> None:
    answer = server.visitor("ann").post("/orders", origin=origin)

    assert (answer.status_code == 403) is server.is_guarded


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE"])
def test_a_change_of_any_kind_must_say_where_it_comes_from(guarded: Server, method: str) -> None:
    answer = guarded.http.request(method, "/orders")

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("site", "status"), [("same-origin", 200), ("same-site", 403), ("cross-site", 403)]
)
def test_a_browser_that_names_no_origin_may_name_its_site(
    guarded: Server, site: str, status: int
) -> None:
    answer = guarded.http.post("/orders", headers={"Sec-Fetch-Site": site})

    assert answer.status_code == status


def test_a_change_from_our_own_page_goes_through(server: Server) -> None:
    answer = server.visitor("ann").post("/orders", content=b"four")

    assert answer.text == "4"


def test_a_signed_machine_needs_neither_origin_nor_name(server: Server) -> None:
    answer = server.http.post("/webhooks/stripe", content=b"event", headers={"Host": "stripe"})

    assert answer.text == "5"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "", "a b", "[::1"])
def test_a_foreign_name_is_refused(server: Server, host: str) -> None:
    answer = server.http.get("/catalogue", headers={"Host": host})

    assert (answer.status_code == 400) is server.is_guarded


def test_loopback_has_several_names(guarded: Server) -> None:
    for name in ("localhost", "LOCALHOST", "[::1]"):
        host = f"{name}:{guarded.port}"
        headers = {"Host": host, "Origin": f"http://{host.lower()}"}

        assert guarded.http.post("/orders", headers=headers).status_code == 200


def test_one_name_of_ours_is_not_the_origin_of_another(guarded: Server) -> None:
    headers = {"Origin": f"http://localhost:{guarded.port}"}

    assert guarded.http.post("/orders", headers=headers).status_code == 403


def test_watchdogs_may_ask_by_any_name(guarded: Server) -> None:
    assert guarded.http.get("/healthz", headers={"Host": "10.1.2.3"}).text == "alive"


def test_a_forwarded_prefix_is_not_put_into_the_page(server: Server) -> None:
    ann = server.visitor("ann")

    page = ann.get("/studio/press", **{"X-Forwarded-Prefix": "//evil.example"})
    redirect = ann.get("/go", **{"X-Forwarded-Prefix": "//evil.example"})

    assert ("evil.example" in page.text) is not server.is_guarded
    assert redirect.headers["location"] == "/catalogue"


def test_the_trusted_proxy_says_who_asks(guarded: Server) -> None:
    said = {
        "X-Forwarded-For": "6.6.6.6, 7.7.7.7",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "for=1.1.1.1",
    }

    who = guarded.http.get("/who", headers=said).json()

    assert who == {"host": "7.7.7.7", "scheme": "https", "forwarded": []}


@pytest.mark.parametrize("said", ["", "nonsense", "1.2.3", "<script>"])
def test_a_proxy_that_says_nonsense_is_itself_the_sender(guarded: Server, said: str) -> None:
    who = guarded.http.get("/who", headers={"X-Forwarded-For": said}).json()

    assert who["host"] == "127.0.0.1"


@pytest.mark.parametrize("path", ["/orders", "/webhooks/stripe"])
def test_a_long_body_is_refused_before_it_is_read(server: Server, path: str) -> None:
    answer = server.visitor("ann").post(path, content=b"x" * (2**20 + 1))

    assert (answer.status_code == 413) is server.is_guarded
    assert ("more than fits: at most 1 MB" in answer.text) is server.is_guarded


def test_a_long_body_of_unsaid_length_is_refused(server: Server) -> None:
    pieces = (b"x" * 2**16 for _ in range(17))

    answer = server.visitor("ann").post("/orders", content=pieces)

    assert (answer.status_code == 413) is server.is_guarded
    assert server.done == ([] if server.is_guarded else ["order"])


def test_a_body_of_a_mebibyte_is_taken(guarded: Server) -> None:
    answer = guarded.visitor("ann").post("/orders", content=b"x" * 2**20)

    assert answer.text == str(2**20)


async def test_pages_are_opened_no_faster_than_people_do(server: Server) -> None:
    answers = await server.visitor("ann").rush("/studio", 60)

    too_many = [answer for answer in answers if answer.status_code == 429]
    assert bool(too_many) is server.is_guarded
    assert all(answer.headers["retry-after"] == "2" for answer in too_many)
    assert server.visitor("bob").get("/studio").status_code == 200


async def test_a_page_that_came_too_often_comes_by_itself(guarded: Server) -> None:
    answers = await guarded.visitor("ann").rush("/studio", 60, Accept="text/html")

    refused = next(answer for answer in answers if answer.status_code == 429)
    assert "opens by itself in a moment" in refused.text
    assert refused.headers["refresh"] == "2"


async def test_plain_pages_are_not_counted(guarded: Server) -> None:
    answers = await guarded.visitor("ann").rush("/catalogue", 60)

    assert {answer.status_code for answer in answers} == {200}


def _upload(server: Server, name: str | None, path: str, **request: Any) -> httpx.Response:
    files = request.pop("files", {"file": PICTURE})
    return server.visitor(name).post(path, files=files, **request)


def test_a_file_of_ones_own_is_taken(server: Server) -> None:
    path = server.visitor("ann").open().upload_path()

    answer = _upload(server, "ann", path)

    assert answer.status_code == 200
    assert server.state()["uploaded"] == ["picture.png"]


@pytest.mark.parametrize("name", [None, "bob", "nobody"])
def test_a_file_from_somebody_else_is_refused(server: Server, name: str | None) -> None:
    path = server.visitor("ann").open().upload_path()

    answer = _upload(server, name, path)

    assert (answer.status_code == 401) is server.is_guarded
    assert (server.state()["uploaded"] == []) is server.is_guarded


def test_a_file_from_another_site_is_refused(server: Server) -> None:
    path = server.visitor("ann").open().upload_path()

    answer = _upload(server, "ann", path, origin="https://evil.example")

    assert (answer.status_code == 403) is server.is_guarded


def test_a_file_is_refused_after_the_session_has_ended(server: Server) -> None:
    path = server.visitor("ann").open().upload_path()
    server.control("expire", "ann")

    answer = _upload(server, "ann", path)

    assert (answer.status_code == 401) is server.is_guarded


@pytest.mark.parametrize("size", [1001, 5_000_000])
def test_a_file_larger_than_the_box_is_refused(server: Server, size: int) -> None:
    path = server.visitor("ann").open().upload_path()

    answer = _upload(server, "ann", path, files={"file": ("a.png", b"x" * size, "image/png")})

    assert (answer.status_code == 413) is server.is_guarded
    assert (server.state()["uploaded"] == []) is server.is_guarded


def test_a_file_for_a_box_inside_something_hidden_is_refused(server: Server) -> None:
    path = server.visitor("ann").open().upload_path("Hidden picture")

    answer = _upload(server, "ann", path)

    assert (answer.status_code == 403) is server.is_guarded


def test_a_file_far_larger_than_the_box_is_refused_before_it_is_read(guarded: Server) -> None:
    path = guarded.visitor("ann").open().upload_path()

    answer = _upload(guarded, "ann", path, files={"file": ("a.png", b"x" * 100_000, "image/png")})

    assert answer.text.startswith("This is more than fits")


def test_more_files_than_the_box_takes_are_refused(server: Server) -> None:
    path = server.visitor("ann").open().upload_path()
    files = {f"file{number}": ("a.png", b"x", "image/png") for number in range(900)}

    answer = _upload(server, "ann", path, files=files)

    assert (answer.status_code == 413) is server.is_guarded
    assert (server.state()["uploaded"] == []) is server.is_guarded


def test_what_is_no_file_is_no_fault_of_the_servers(server: Server) -> None:
    path = server.visitor("ann").open().upload_path()

    answer = server.visitor("ann").post(path, data={"file": "words"})

    assert answer.status_code == (400 if server.is_guarded else 500)


def test_a_stream_arrives_as_it_is_made(server: Server) -> None:
    with server.http.stream("GET", "/ticks") as answer:
        lines = answer.iter_lines()

        assert [next(lines) for _ in range(3)] == ["data: tick", "", "data: tick"]


def test_a_page_of_somebody_signed_in_is_kept_nowhere(guarded: Server) -> None:
    assert guarded.visitor("ann").get("/catalogue").headers["cache-control"] == "no-store"
    assert guarded.visitor("ann").get("/who").headers["cache-control"] == "no-store"
    assert "cache-control" not in guarded.visitor().get("/catalogue").headers


@pytest.mark.parametrize("path", ["/catalogue", "/studio/press", "/nothing", "/broken", "/go"])
def test_every_answer_has_the_headers(server: Server, path: str) -> None:
    answer = server.visitor("ann").get(path)

    held = {
        "content-security-policy",
        "referrer-policy",
        "x-content-type-options",
        "x-frame-options",
        "cross-origin-opener-policy",
        "cross-origin-resource-policy",
        "permissions-policy",
    }
    assert (held <= set(answer.headers)) is server.is_guarded


def test_a_refusal_has_the_headers_too(guarded: Server) -> None:
    answer = guarded.http.post("/orders")

    assert answer.headers["x-frame-options"] == "DENY"
    assert "'unsafe-eval'" not in answer.headers["content-security-policy"]


def test_every_script_of_a_page_carries_the_nonce_of_its_answer(guarded: Server) -> None:
    answer = guarded.visitor("ann").get("/studio/press")

    policy = answer.headers["content-security-policy"]
    nonce = policy.partition("'nonce-")[2].partition("'")[0]
    assert answer.text.count("<script") == answer.text.count(f'<script nonce="{nonce}"')
    assert nonce not in guarded.visitor("ann").get("/studio/press").text
