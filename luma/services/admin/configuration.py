"""The settings in force, for whoever wonders why LUMA does what it does. Secrets stay secret."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr
from sqlalchemy.orm import Session

from luma import settings as source
from luma.services import policies
from luma.services.policies import Actor
from luma.settings import Settings

SECRET = re.compile(r"secret|key|passw|token|smtp_url|dsn|credential")


@dataclass(frozen=True, slots=True)
class Setting:
    """`origin` is "environment", ".env" or "default"."""

    name: str
    value: str
    origin: str


def in_force(_session: Session, actor: Actor) -> tuple[Setting, ...]:
    policies.ensure_admin(actor)
    here, origins = source.settings(), source.origins()
    return tuple(
        Setting(
            name=f"LUMA_{field.upper()}",
            value=_shown(field, getattr(here, field)),
            origin=origins.get(field, "default"),
        )
        for field in Settings.model_fields
    )


def _shown(field: str, value: object) -> str:
    """What is not surely harmless is only said to be set."""
    if value is None or value == {}:
        return "not set"
    if isinstance(value, SecretStr) or SECRET.search(field):
        return "set"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int | Path):
        return str(value)
    return _without_credentials(value) if isinstance(value, str) else "set"


def _without_credentials(text: str) -> str:
    """An address without the name, the password and the query that it may carry."""
    if "://" not in text:
        return text
    parts = urlsplit(text)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
