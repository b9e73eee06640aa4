"""The settings in force: what an admin may read of them, and what never."""

import pytest
from sqlalchemy.orm import Session

from luma.errors import NotAllowed
from luma.services.admin import configuration
from luma.services.policies import Actor
from luma.settings import settings
from tests.factories import fresh, make_instructor

PLANTED = {
    "LUMA_SECRET": "planted-secret",
    "LUMA_STRIPE_SECRET_KEY": "sk_test_planted-secret",
    "LUMA_STRIPE_WEBHOOK_SECRET": "whsec_planted-secret",
    "LUMA_SMTP_URL": "smtps://user:planted-secret@mail.example.org",
    "LUMA_OPENROUTER_API_KEY": "sk-or-planted-secret",
    "LUMA_OPENROUTER_BASE_URL": "https://me:planted-secret@ai.example.org/v1?key=planted-secret",
}


def values(session: Session, admin: Actor) -> dict[str, tuple[str, str]]:
    return {one.name: (one.value, one.origin) for one in configuration.in_force(session, admin)}


def test_only_admins_read_them(session: Session) -> None:
    with pytest.raises(NotAllowed):
        configuration.in_force(session, fresh(make_instructor(session)))


def test_a_secret_is_only_said_to_be_set(
    session: Session, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in PLANTED.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()

    shown = values(session, admin)

    assert "planted-secret" not in str(shown)
    assert shown["LUMA_SECRET"] == ("set", "environment")
    assert shown["LUMA_OPENROUTER_BASE_URL"][0] == "https://ai.example.org/v1"


def test_a_database_address_is_shown_without_its_credentials(
    session: Session, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "postgresql://luma:planted@db.example.org:5432/luma?password=planted"
    monkeypatch.setenv("LUMA_DATABASE_URL", address)
    settings.cache_clear()

    shown = values(session, admin)

    assert shown["LUMA_DATABASE_URL"][0] == "postgresql://db.example.org:5432/luma"


def test_each_says_where_it_comes_from(
    session: Session, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUMA_REFUND_DAYS", "30")
    settings.cache_clear()

    shown = values(session, admin)

    assert shown["LUMA_REFUND_DAYS"] == ("30", "environment")
    assert shown["LUMA_CURRENCY"] == ("usd", "default")
    assert shown["LUMA_DEMO"] == ("not set", "default")
    assert len(shown) == len(type(settings()).model_fields)
