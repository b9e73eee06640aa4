"""A running LUMA with a database of its own, and people in browsers who use it."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import Engine, create_engine, update
from sqlalchemy.orm import Session

from luma.models.user import User
from luma.services import clock
from tests.factories import PASSWORD
from tests.standins.mail import read, words


@dataclass
class School:
    url: str
    database: str
    log: Path

    @cached_property
    def engine(self) -> Engine:
        return create_engine(self.database)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """For arranging what a story starts from; committed at the end."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def faults(self) -> list[str]:
        """What the server has logged as its own fault."""
        lines = self.log.read_text("utf-8", "replace").splitlines()
        return [line for line in lines if "Traceback" in line or " ERROR " in line]

    def visitor(self, browser: Browser, **wishes: object) -> Page:
        """Somebody new, in a browser of their own. `wishes` are Playwright's for a context."""
        wide = {"viewport": {"width": 1280, "height": 800}, **wishes}
        context: BrowserContext = browser.new_context(base_url=self.url, **wide)  # type: ignore[arg-type]
        context.set_default_timeout(10_000)
        return context.new_page()

    def sign_up(self, page: Page, name: str, email: str, *, to_teach: bool = False) -> None:
        page.goto("/sign-up")
        page.get_by_label("I want to teach" if to_teach else "I want to learn").check()
        page.get_by_label("Name").fill(name)
        page.get_by_label("E-mail address").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Sign up").click()
        page.wait_for_url(lambda url: "/sign-up" not in url)

    def confirm(self, email: str) -> None:
        """As if they had used the link that was sent to them."""
        with self.session() as session:
            confirmed = update(User).where(User.email == email)
            session.execute(confirmed.values(email_verified_at=clock.now()))

    def letter(self, to: str, subject: str) -> str:
        """The text of the newest letter to somebody, once it has come."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            for mail in reversed(read(self.log.parent / "mail")):
                if (mail["To"], mail["Subject"]) == (to, subject):
                    return words(mail)
            time.sleep(0.05)
        raise AssertionError(f"no letter “{subject}” to {to}")

    def link(self, to: str, subject: str) -> str:
        """The path that the button of a letter leads to."""
        found = re.search(rf"^{re.escape(self.url)}(/\S+/\S+)\s*$", self.letter(to, subject), re.M)
        assert found, "a letter without a button"
        return found[1]

    def sign_in(self, page: Page, email: str, onward: str = "") -> None:
        page.goto(f"/sign-in?next={onward}")
        page.get_by_label("E-mail address").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/sign-in" not in url)


@contextmanager
def running(
    database: str,
    folder: Path,
    settings: Mapping[str, str],
    program: str = "tests.browser.serve",
) -> Iterator[School]:
    """A server process. `settings` are LUMA_… variables beside the database and the folder."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("LUMA_")}
    env = {**own, "LUMA_DATABASE_URL": database, "LUMA_DATA_DIR": str(folder), **settings}
    command = [sys.executable, "-m", program]
    log = folder / "server.log"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env=env
        ) as process,
    ):
        try:
            yield from _schools(process, database, log)
        finally:
            process.terminate()
            ended = _ended(process)
            sys.stderr.write(log.read_text("utf-8", "replace"))
        assert ended in (0, -15), f"the server ended with {ended}"


def _schools(process: "subprocess.Popen[str]", database: str, log: Path) -> Iterator[School]:
    assert process.stdout is not None
    port = process.stdout.readline().strip()
    assert port, f"the server did not start: {log.read_text()}"
    school = School(f"http://127.0.0.1:{port}", database, log)
    try:
        yield school
    finally:
        school.engine.dispose()


def _ended(process: "subprocess.Popen[str]") -> int | None:
    """What it said at its end; None when it had to be killed, so that no test run hangs."""
    try:
        return process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        return None
