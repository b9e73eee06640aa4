"""Everybody at every door with everybody's things: who is not meant is refused, nothing leaks.

What there is to try is read from the code; see tests/matrix. A new service that a page acts
through, and a new address, fail here until the tables say who may.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, cast

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from luma.errors import LumaError, NotAllowed, NotFound, ProveAgain, SignInNeeded
from luma.services import accounts
from luma.settings import settings
from tests.browser.school import School, running
from tests.database import Databases
from tests.matrix import found
from tests.matrix.doors import DOORS, VISITOR, Door, places
from tests.matrix.services import CASES, Case
from tests.matrix.world import ROLES, World, build

REFUSALS = (NotAllowed, NotFound, SignInNeeded)

QUIET = """
    SELECT table_name FROM information_schema.tables
    WHERE table_schema = 'public' AND table_name NOT LIKE 'procrastinate%'
    AND table_name NOT IN ('sessions', 'sign_in_attempts', 'letters', 'job_failures',
        'webhook_refusals')
    ORDER BY table_name
"""
"""What changes only when somebody changes it. Refused calls are counted, as they should be."""


@pytest.fixture(scope="module")
def school(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    with (
        databases.fresh() as database,
        running(database, tmp_path_factory.mktemp("luma"), {"LUMA_DEMO": "0"}) as school,
    ):
        yield school


@pytest.fixture(scope="module")
def world(school: School) -> World:
    with school.session() as session:
        return build(session)


@pytest.fixture(scope="module")
def browsers(school: School, world: World) -> Iterator[dict[str, httpx.Client]]:
    """What each role looks at LUMA with."""
    ways: dict[str, httpx.Client] = {}
    with ExitStack() as stack:
        for role in (VISITOR, *ROLES):
            cookies = {"luma": world.keys[role]} if role in world.keys else {}
            ways[role] = stack.enter_context(
                httpx.Client(
                    base_url=school.url,
                    cookies=cookies,
                    headers={"Origin": school.url},
                    trust_env=False,
                    timeout=30,
                )
            )
        yield ways


def test_every_address_is_tried() -> None:
    assert found.routes() == set(DOORS)


@pytest.mark.parametrize("address", DOORS)
def test_only_who_may_gets_in_and_nobody_sees_what_is_anothers(
    school: School, world: World, browsers: dict[str, httpx.Client], address: str
) -> None:
    method, template = address.split(" ")
    for door in DOORS[address]:
        path = template.format(**{**places(world), **door.place(world)})
        for role, way in browsers.items():
            allowed = role in door.allowed
            if allowed and (method != "GET" or door.never_ends):
                continue
            before = _state(school)
            answer = way.request(method, path, data=door.form, json=door.json)
            assert _is_inside(answer, door) is allowed, (role, path, answer.status_code)
            marks = world.marks(role, of_a_sale=door.of_a_sale)
            assert [mark for mark in marks if mark in answer.text] == [], (role, path)
            if not allowed:
                assert _state(school) == before, (role, path)


def test_the_server_saw_no_fault(school: School) -> None:
    assert school.faults() == []


def _is_inside(answer: httpx.Response, door: Door) -> bool:
    """Raises AssertionError for an answer that is neither a welcome nor a refusal."""
    if answer.headers.get("location", "").startswith("/sign-"):
        return False
    assert answer.status_code < 400 or answer.status_code in door.refused, answer.status_code
    return answer.status_code < 400


def _state(school: School) -> list[tuple[str, int, int]]:
    """What stands in the tables, in a number each."""
    with school.session() as session:
        tables = session.scalars(text(QUIET)).all()
        sums = "SELECT count(*), coalesce(sum(hashtext(t::text)), 0) FROM {} AS t"
        return [
            (table, *map(int, session.execute(text(sums.format(table))).one())) for table in tables
        ]


def test_every_service_that_pages_act_through_is_tried() -> None:
    assert found.services() == set(CASES)


@pytest.mark.parametrize("service", CASES)
def test_only_who_may_is_served_and_nobody_reads_what_is_anothers(
    session: Session, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUMA_OPENROUTER_API_KEY", "sk-or-set")
    settings.cache_clear()
    world = build(session)
    action = cast("Callable[..., Any]", found.called(service))

    for case in CASES[service]:
        with pytest.raises(SignInNeeded):
            _act(session, None, action, world, case)
        for role in ROLES:
            refused, answer = _tried(session, world, role, action, case)
            assert refused is not (role in case.allowed), (role, answer)
            marks = world.marks(role, of_a_sale=case.of_a_sale)
            assert [mark for mark in marks if mark in answer] == [], role


def _tried(
    session: Session, world: World, role: str, action: Callable[..., Any], case: Case
) -> tuple[bool, str]:
    """Whether they were refused, and all that they were told. Nothing of it stays."""
    attempt = session.begin_nested()
    try:
        answer = _act(session, accounts.key_of(world.keys[role]), action, world, case)
        session.flush()
    except ProveAgain:
        raise
    except LumaError as refusal:
        return isinstance(refusal, REFUSALS), str(refusal)
    finally:
        attempt.rollback()
        session.expire_all()
    return False, repr(answer)


def _act(
    session: Session, key: str | None, action: Callable[..., Any], world: World, case: Case
) -> object:
    given, named = case.arguments(world), case.named or {}
    return accounts.as_user(session, key, action, *given, **named)
