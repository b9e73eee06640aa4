"""What an operator types, and what comes back."""

import subprocess
import sys

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from luma import cli, db
from luma.models.course import Course
from luma.models.user import UserRole
from luma.settings import settings
from luma.values import Role
from tests.factories import make_user


def test_a_person_with_an_account_becomes_an_admin(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    user = make_user(session, email="ada@example.org")

    cli.main(["grant-admin", "Ada@example.org"])

    roles = session.scalars(select(UserRole.role).where(UserRole.user_id == user.id)).all()
    assert Role.ADMIN in roles
    assert "is an admin now" in capsys.readouterr().out


def test_an_address_without_an_account_is_refused_in_a_sentence(session: Session) -> None:
    with pytest.raises(SystemExit, match="No account has this e-mail address"):
        cli.main(["grant-admin", "nobody@example.org"])


def test_the_demo_is_loaded_into_an_empty_database_only(
    fresh_database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["demo"])

    with db.unit_of_work() as session:
        assert session.query(Course).count() == 6
    with pytest.raises(SystemExit, match="needs an empty one"):
        cli.main(["demo"])


def test_the_demo_is_not_loaded_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRET", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"):
        monkeypatch.setenv(f"LUMA_{name}", "sk_test_of_a_school_with_a_long_secret")
    monkeypatch.setenv("LUMA_ENV", "production")
    settings.cache_clear()

    with pytest.raises(SystemExit, match="passwords are known"):
        cli.main(["demo"])


def test_the_doctor_says_what_works(
    fresh_database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["doctor"])

    said = capsys.readouterr().out
    assert "PostgreSQL" in said
    assert "played in the sandbox" in said


def test_the_doctor_names_the_command_for_a_database_behind(session: Session) -> None:
    session.execute(text("DELETE FROM alembic_version"))

    with pytest.raises(SystemExit, match=r"luma\.cli migrate"):
        cli.main(["doctor"])


def test_settings_that_are_missing_are_named_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LUMA_ENV", "production")

    ended = _typed("doctor")

    assert ended.returncode == 1
    assert ended.stderr.startswith("In production these must be set: LUMA_SECRET")


def test_a_setting_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUMA_PORT", "eighty")

    ended = _typed("migrate")

    assert ended.stderr.startswith("LUMA_PORT: ")
    assert "Traceback" not in ended.stderr


def test_a_database_that_is_away_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUMA_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")

    ended = _typed("migrate")

    assert ended.stderr.startswith("The database does not answer")
    assert len(ended.stderr.splitlines()) == 1


def _typed(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "luma.cli", *words], capture_output=True, text=True, check=False
    )
