"""An admin reads every admin page, and on none of them a password, a token or a card."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import text
from sqlalchemy.orm import Session

from luma.models.payment import StripeEvent
from luma.services import audit, clock, failures, queue
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


def test_no_admin_page_shows_a_secret(guarded: School, browser: Browser) -> None:
    with guarded.session() as session:
        email = make_user(session, "Ada Kim", roles=(Role.ADMIN,)).email
        _fill(session)
    page = browser.new_context(base_url=guarded.url).new_page()
    guarded.sign_in(page, email)
    with guarded.session() as session:
        secrets = _secrets(session)
    frames: list[str] = []
    page.on("websocket", lambda it: it.on("framereceived", lambda one: frames.append(str(one))))

    shown = []
    for section in SECTIONS:
        answer = page.goto(f"/admin{section}")
        expect(page.get_by_role("navigation", name="Admin")).to_be_visible()
        assert answer is not None
        shown += [answer.text(), page.content()]

    everything = "\n".join([*shown, *frames])
    assert "evt_dead" in everything
    assert len(secrets) >= 4
    assert [secret for secret in secrets if secret in everything] == []
    page.context.close()


def _fill(session: Session) -> None:
    """Something on every page, made of people and jobs that have secrets."""
    course = make_published(session)
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
    return found
