"""What differs between machines. Nothing else reads the environment."""

import os
import re
import secrets
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

TAX_CODES = {
    "txcd_10000000": "Electronically supplied service, in general",
    "txcd_20060158": "Online course, recorded, to watch",
    "txcd_20060258": "Online course, recorded, to watch and to download",
    "txcd_20060058": "Training, self-study on the web",
}
"""Those of Stripe's words for kinds of things that a course can be."""

TEST_KEYS = ("sk_test_", "rk_test_")
MAIL_SCHEMES = ("smtp", "smtp+starttls", "smtps")
LIVE_KEYS = ("sk_live_", "rk_live_")


_PROVIDER = re.compile(
    r"luma_oidc_(?P<name>[a-z0-9_]{1,40})_(?P<what>issuer|client_id|client_secret|label)"
)


class Provider(BaseModel):
    """Somebody who vouches for people: one set of LUMA_OIDC_<NAME>_… variables."""

    model_config = ConfigDict(frozen=True)

    name: str
    issuer: str
    client_id: str
    client_secret: SecretStr
    label: str = Field(default="", max_length=40)

    @field_validator("issuer")
    @classmethod
    def _is_a_safe_address(cls, issuer: str) -> str:
        if not is_safe_address(issuer) or "?" in issuer or "#" in issuer:
            raise ValueError(
                "An issuer is an https:// address, such as https://accounts.google.com."
            )
        return issuer

    @property
    def shown_as(self) -> str:
        return self.label.strip() or self.name.replace("_", " ").title()


class Settings(BaseSettings):
    """Each field is one variable: `database_url` is LUMA_DATABASE_URL.

    What is unset has a safe meaning: no database address, the embedded server;
    no Stripe key, the sandbox.
    """

    model_config = SettingsConfigDict(env_prefix="LUMA_", env_file=".env", extra="ignore")

    env: Literal["development", "production"] = "development"
    host: str = "127.0.0.1"
    port: int = 8080
    base_url: str = ""
    """What people type; unset, the address where LUMA listens."""
    trusted_proxy: str | None = None
    """Address of the proxy whose X-Forwarded-* headers are believed."""
    data_dir: Path | None = None
    database_url: str | None = None
    secret: SecretStr | None = None
    stripe_secret_key: SecretStr | None = None
    stripe_webhook_secret: SecretStr | None = None
    """One secret, or several separated by commas while one is being rolled."""
    stripe_connect_secret: SecretStr | None = None
    """The same for what happens in the accounts of instructors: /webhooks/stripe/connect."""
    stripe_thin_secret: SecretStr | None = None
    """The same for thin events about those accounts: /webhooks/stripe/thin."""
    stripe_api_base: str | None = None
    youtube_frame: str = "https://www.youtube-nocookie.com"
    """Origin of the video frame. Tests put a stand-in here."""
    currency: str = "usd"
    platform_fee_bps: int = 1000
    refund_days: int = 14
    stripe_tax: bool = False
    """Whether Stripe counts tax, asks for tax numbers and writes invoices."""
    tax_code: Annotated[str, Field(pattern=f"^({'|'.join(TAX_CODES)})$")] = "txcd_10000000"
    """What courses are to a tax office, unless a course says otherwise."""
    tax_behavior: Literal["inclusive", "exclusive"] = "inclusive"
    """Whether prices have the tax inside, or it is added to them."""
    smtp_url: SecretStr | None = None
    mail_from: str | None = None
    openrouter_api_key: SecretStr | None = None
    openrouter_base_url: str = "https://openrouter.ai/api/v1"
    openrouter_model: str = "deepseek/deepseek-v4.1-flash"
    openrouter_fallback_model: str = "deepseek/deepseek-v3.2"
    """Asked when the first model is not there or not able; empty for none."""
    ai_monthly_cents: Annotated[int, Field(ge=0, le=1_000_000)] = 500
    """What one instructor may spend on AI in a month, in US cents; 0 switches it off."""
    ai_input_cents: Annotated[int, Field(ge=1, le=100_000)] = 60
    """The most that is paid for a million tokens sent, in US cents. Who asks more is not asked."""
    ai_output_cents: Annotated[int, Field(ge=1, le=100_000)] = 240
    """The same for a million tokens of answer."""
    oidc: dict[str, Provider] = {}
    """From LUMA_OIDC_<NAME>_ISSUER, _CLIENT_ID, _CLIENT_SECRET and _LABEL, by name."""
    clerk_provider: str = "clerk"
    """Which of them is Clerk: whose users the webhook speaks of."""
    clerk_webhook_secret: SecretStr | None = None
    """One secret, or several separated by commas while one is being rolled."""
    demo: bool | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """As usual, and the providers, whose variables have names that nobody knows before."""
        usual = (init_settings, env_settings, dotenv_settings, file_secret_settings)
        return (*usual, _Providers(settings_cls, (dotenv_settings, env_settings)))

    @field_validator("smtp_url")
    @classmethod
    def _mail_server_is_named(cls, url: SecretStr | None) -> SecretStr | None:
        """Its words do not repeat the address: there is a password in it."""
        if url is None or not url.get_secret_value().strip():
            return None
        parts = urlsplit(url.get_secret_value())
        if parts.scheme not in MAIL_SCHEMES or not parts.hostname:
            raise ValueError("write it as smtp+starttls://name:password@mail.example.org:587")
        return url

    @property
    def is_production(self) -> bool:
        return self.env == "production"

    @property
    def is_secure(self) -> bool:
        """Whether people reach LUMA over TLS."""
        return self.base_url.startswith("https://")

    @property
    def uses_sandbox(self) -> bool:
        return self.stripe_secret_key is None

    @property
    def loads_demo(self) -> bool:
        return (not self.is_production) if self.demo is None else self.demo

    @property
    def livemode(self) -> bool:
        key = self.stripe_secret_key
        return key is not None and key.get_secret_value().startswith(LIVE_KEYS)

    def data_path(self) -> Path:
        """The folder of everything LUMA keeps outside the database, made if it is missing.

        As root it is /var/lib/luma: the embedded server opens the parents of its folder to its
        own user, which must not happen to /root.
        """
        is_root = hasattr(os, "geteuid") and os.geteuid() == 0
        default = Path("/var/lib/luma") if is_root else user_data_path("luma")
        path = (self.data_dir or default).expanduser().absolute()
        path.mkdir(parents=True, exist_ok=True)
        return path

    def signing_secret(self) -> str:
        """LUMA_SECRET, or in development one made at first start and kept in the data folder."""
        if self.secret is not None:
            return self.secret.get_secret_value()
        return _kept_secret(self.data_path() / "secret")

    def webhook_secrets(self, door: str = "platform") -> tuple[str, ...]:
        """Secrets that may have signed an event from Stripe. Empty when selling is not set up."""
        kept = {
            "platform": self.stripe_webhook_secret,
            "connect": self.stripe_connect_secret,
            "thin": self.stripe_thin_secret,
        }[door]
        return _listed(kept) if kept else ()

    def clerk_secrets(self) -> tuple[str, ...]:
        """Secrets that may have signed an event from Clerk. Empty when its webhook is not used."""
        return _listed(self.clerk_webhook_secret) if self.clerk_webhook_secret else ()

    def providers(self) -> tuple[Provider, ...]:
        return tuple(self.oidc[name] for name in sorted(self.oidc))

    @model_validator(mode="after")
    def _clerk_is_known(self) -> Self:
        if self.clerk_secrets() and self.clerk_provider not in self.oidc:
            raise ValueError(
                "LUMA_CLERK_WEBHOOK_SECRET is set, but no provider is Clerk: set LUMA_OIDC_CLERK_… "
                "or name the one that is in LUMA_CLERK_PROVIDER."
            )
        return self

    @model_validator(mode="after")
    def _production_is_complete(self) -> Self:
        here = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104
        self.base_url = (self.base_url or f"http://{here}:{self.port}").rstrip("/")
        if not self.is_production:
            return self
        missing = [
            name
            for name, value in {
                "LUMA_SECRET": self.secret,
                "LUMA_STRIPE_SECRET_KEY": self.stripe_secret_key,
                "LUMA_STRIPE_WEBHOOK_SECRET": self.stripe_webhook_secret,
            }.items()
            if value is None or not value.get_secret_value().strip()
        ]
        if missing:
            raise ValueError(f"In production these must be set: {', '.join(missing)}.")
        if self.demo:
            raise ValueError("The demo's passwords are known: set LUMA_DEMO=0 in production.")
        return self


class _Providers(PydanticBaseSettingsSource):
    """Collects LUMA_OIDC_<NAME>_… from the environment and the .env file."""

    def __init__(
        self, kind: type[BaseSettings], places: tuple[PydanticBaseSettingsSource, ...]
    ) -> None:
        super().__init__(kind)
        self._places = places

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        found: dict[str, dict[str, str]] = {}
        for place in self._places:
            said: Mapping[str, str | None] = getattr(place, "env_vars", {})
            for variable, value in said.items():
                match = _PROVIDER.fullmatch(variable.lower())
                if match and value and value.strip():
                    own = found.setdefault(match["name"], {"name": match["name"]})
                    own[match["what"]] = value.strip()
        return {"oidc": found} if found else {}


def is_safe_address(address: str) -> bool:
    """https, or http on this very machine; no name and password inside, nothing odd."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    plain = address.isascii() and address.isprintable() and " " not in address
    here = parts.scheme == "http" and host in ("127.0.0.1", "localhost", "::1")
    named = bool(host) and parts.username is None and len(address) <= 2000
    return plain and named and (here or parts.scheme == "https")


def _listed(secret: SecretStr) -> tuple[str, ...]:
    return tuple(one.strip() for one in secret.get_secret_value().split(",") if one.strip())


@lru_cache
def settings() -> Settings:
    return Settings()


def origins() -> dict[str, str]:
    """Which fields were set, and where. The environment wins over the file."""
    in_file = dict.fromkeys(DotEnvSettingsSource(Settings)(), ".env")
    return in_file | dict.fromkeys(EnvSettingsSource(Settings)(), "environment")


@lru_cache
def _kept_secret(path: Path) -> str:
    try:
        with path.open("x") as file:
            path.chmod(0o600)
            file.write(secrets.token_urlsafe(32))
    except FileExistsError:
        pass
    return path.read_text()
