"""An admin reads every admin page, and on none of them a password, a token or a card."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from luma.models.letter import Letter
from luma.models.payment import StripeEvent
from luma.services import audit, clock, failures, queue, verification
from luma.services.post import seals
from luma.settings import settings
from luma.values import Role
from tests.browser.school import School, running
from tests.browser.test_admin import SECTIONS
from tests.database import Databases
from tests.factories import make_published, make_user

PLANTED = "planted-nowhere-to-be-seen"
SETTINGS = {
    "LUMA_DEMO": "0",
    "LUMA_SECRET": f"{PLANTED}-1",
    "LUMA_STRIPE_WEBHOOK_SECRET": f"whsec_{PLANTED}",
    "LUMA_OPENROUTER_API_KEY": f"sk-or-{PLANTED}",
    "LUMA_OPENROUTER_BASE_URL": f"http://me:{PLANTED}@127.0.0.1:9/v1?key={PLANTED}",
}
KEPT = """
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = 'public' AND column_name ~ 'hash|secret|sealed|token$|^raw$'
"""


@pytest.fixture(scope="module")
def guarded(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    with (
        databases.fresh() as database,
        running(database, tmp_path_factory.mktemp("luma"), SETTINGS) as school,
    ):
        yield school


def test_no_admin_page_shows_a_secret(
    guarded: School, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUMA_SECRET", SETTINGS["LUMA_SECRET"])
    settings.cache_clear()
    with guarded.session() as session:
        email = make_user(session, "Ada Kim", roles=(Role.ADMIN,)).email
        _fill(session)
    page = browser.new_context(base_url=guarded.url).new_page()
    guarded.sign_in(page, email)
    with guarded.session() as session:
        secrets = _secrets(session)
        letter = session.scalars(select(Letter.key).where(Letter.seed.is_not(None))).first()
    frames: list[str] = []
    page.on("websocket", lambda it: it.on("framereceived", lambda one: frames.append(str(one))))

    shown = []
    for section in (*SECTIONS, f"/mail/{letter}", f"/mail/{letter}/sheet"):
        answer = page.goto(f"/admin{section}")
        assert answer is not None
        assert answer.status == 200
        if not section.endswith("/sheet"):
            expect(page.get_by_role("navigation", name="Admin")).to_be_visible()
        shown += [answer.text(), page.content()]

    everything = "\n".join([*shown, *frames])
    assert "evt_dead" in everything
    assert len(secrets) >= 4
    assert [secret for secret in secrets if secret in everything] == []
    page.context.close()


def _fill(session: Session) -> None:
    """Something on every page, made of people and jobs that have secrets."""
    course = make_published(session)
    verification.write(session, course.instructor_id, "somebody@example.org")
    audit.note(session, None, "course.hide", f"course {course.public_id}", None, {"why": "x"})
    queue.defer(session, "letters.send", letter_key=PLANTED)
    session.execute(text("UPDATE procrastinate_jobs SET status = 'failed'"))
    job = session.execute(text("SELECT max(id) FROM procrastinate_jobs")).scalar_one()
    failures.note(session, job, failures.in_words(ValueError(PLANTED)))
    now = clock.now()
    event = StripeEvent(
        event_id="evt_dead",
        type="checkout.session.completed",
        livemode=False,
        created_at=now,
        raw=f'{{"last4": "{PLANTED}"}}'.encode(),
        source="push",
        next_at=now + timedelta(days=1),
        received_at=now,
    )
    event.give_up("UnknownOrder: no such order")
    session.add(event)


def _secrets(session: Session) -> set[str]:
    """What was planted, and whatever the tables keep that is nobody's to read."""
    found = {PLANTED}
    for table, column in session.execute(text(KEPT)).all():
        values = session.scalars(text(f'SELECT "{column}" FROM "{table}"')).all()
        for value in values:
            if isinstance(value, bytes | memoryview):
                found |= {bytes(value).hex(), str(bytes(value))[2:-1]}
            elif value:
                found.add(str(value))
    seeds = session.scalars(select(Letter.seed)).all()
    return found | {seals.token(seed) for seed in seeds if seed}
