"""What an identity provider says about itself, and its keys: asked for once an hour."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet

from luma.services.gateways import oidc_wire
from luma.services.gateways.oidc_wire import NoAnswer, ProviderDown
from luma.settings import Provider, is_safe_address

T = TypeVar("T")

log = logging.getLogger(__name__)

FRESH = 3600.0
"""Seconds for which an answer is believed without asking again."""

USABLE = 24 * 3600.0
"""Seconds for which an old answer serves while the provider does not give a new one."""

PAUSE = 10.0
"""Seconds in which a provider that failed is not asked again, so that nobody waits for it."""

NEW_KEYS_EVERY = 30.0
"""Seconds between two fetches of keys that an unknown key has caused."""

MOST_KEYS = 100
ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "Ed25519", "EdDSA"),
)
"""Signed with a key that only the provider has. Never `none`, never a shared secret."""


@dataclass(frozen=True, slots=True)
class Description:
    """The part of a provider's discovery document that LUMA goes by."""

    authorize: str
    token: str
    keys: str
    userinfo: str | None
    algorithms: tuple[str, ...]
    secret_goes: str
    """client_secret_basic or client_secret_post."""
    names_itself: bool
    """Whether its answers must carry `iss` (RFC 9207)."""


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    value: T
    at: float


_descriptions: dict[str, _Kept[Description]] = {}
_keys: dict[str, _Kept[KeySet]] = {}
_failed: dict[str, float] = {}
_asked_anew: dict[str, float] = {}


def forget() -> None:
    """Begin as a fresh process does."""
    for memory in (_descriptions, _keys, _failed, _asked_anew):
        memory.clear()


def description(provider: Provider) -> Description:
    """Raises ProviderDown."""
    address = f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration"
    return _remembered(_descriptions, address, provider, partial(_described, provider))


def keys(provider: Provider, address: str) -> KeySet:
    """Raises ProviderDown."""
    return _remembered(_keys, address, provider, _usable)


def newer_keys(provider: Provider, address: str) -> KeySet:
    """The keys, asked for again: one of them was not known. Raises ProviderDown."""
    now = time.monotonic()
    if now - _asked_anew.get(address, -NEW_KEYS_EVERY) >= NEW_KEYS_EVERY:
        _asked_anew[address] = now
        return _remembered(_keys, address, provider, _usable, fresh=0)
    return keys(provider, address)


def _remembered(
    memory: dict[str, _Kept[T]],
    address: str,
    provider: Provider,
    read: Callable[[dict[str, Any]], T],
    fresh: float = FRESH,
) -> T:
    now, kept = time.monotonic(), memory.get(address)
    if kept and now - kept.at < fresh:
        return kept.value
    if now - _failed.get(address, -PAUSE) >= PAUSE:
        try:
            memory[address] = _Kept(read(oidc_wire.document(address)), now)
        except NoAnswer as error:
            _failed[address] = time.monotonic()
            log.warning(
                "an identity provider does not answer",
                extra={"provider": provider.name, "why": str(error)},
            )
        else:
            return memory[address].value
    if kept and now - kept.at < USABLE:
        return kept.value
    raise ProviderDown(provider.shown_as)


def _described(provider: Provider, said: dict[str, Any]) -> Description:
    """The issuer must be, letter for letter, the one that was set. Raises NoAnswer."""
    if said.get("issuer") != provider.issuer:
        raise NoAnswer("the document is of another issuer")
    signs = _words(said, "id_token_signing_alg_values_supported") or ("RS256",)
    taken = _words(said, "token_endpoint_auth_methods_supported") or ("client_secret_basic",)
    algorithms = tuple(name for name in ALGORITHMS if name in signs)
    if not algorithms:
        raise NoAnswer("it signs with nothing that proves anything")
    secret_goes = "client_secret_basic" if "client_secret_basic" in taken else "client_secret_post"
    has_more = said.get("userinfo_endpoint") is not None
    return Description(
        authorize=_address(said, provider, "authorization_endpoint"),
        token=_address(said, provider, "token_endpoint"),
        keys=_address(said, provider, "jwks_uri"),
        userinfo=_address(said, provider, "userinfo_endpoint") if has_more else None,
        algorithms=algorithms,
        secret_goes=secret_goes,
        names_itself=said.get("authorization_response_iss_parameter_supported") is True,
    )


def _address(said: dict[str, Any], provider: Provider, name: str) -> str:
    """Only a provider on this very machine may speak plain http."""
    address = said.get(name)
    safe = isinstance(address, str) and is_safe_address(address)
    if not safe or (provider.issuer.startswith("https:") and not str(address).startswith("https:")):
        raise NoAnswer(f"{name} is no safe address")
    return str(address)


def _words(said: dict[str, Any], name: str) -> tuple[str, ...]:
    listed = said.get(name)
    if not isinstance(listed, list):
        return ()
    return tuple(word for word in listed if isinstance(word, str))


def _usable(said: dict[str, Any]) -> KeySet:
    """Keys that can prove a signature; what else is in the set is passed over. Raises NoAnswer."""
    listed = said.get("keys")
    found = []
    for key in listed[:MOST_KEYS] if isinstance(listed, list) else []:
        is_public = isinstance(key, dict) and key.get("kty") in ("RSA", "EC", "OKP")
        if is_public and key.get("use") in (None, "sig"):
            try:
                found.append(JWKRegistry.import_key(key))
            except (JoseError, ValueError, TypeError, KeyError):
                continue
    if not found:
        raise NoAnswer("it has no keys")
    return KeySet(found)
