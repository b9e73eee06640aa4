"""An id token: whether the provider signed it, for us, just now, in answer to this sign-in."""

from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from luma.services import clock
from luma.services.gateways import oidc_documents
from luma.services.gateways.oidc_documents import Description
from luma.settings import Provider

LEEWAY = 60
"""Seconds that clocks may differ."""

OLDEST = 600
"""Seconds since it was signed: it is made the moment it is asked for."""

LONGEST_SUBJECT = 255


class Untrusted(Exception):
    """str(error) is for the log: what did not fit."""


def verified(
    provider: Provider, there: Description, said: dict[str, Any], nonce: str
) -> dict[str, Any]:
    """The claims of the id token. Raises Untrusted, and ProviderDown when there are no keys."""
    token = said.get("id_token")
    if not isinstance(token, str):
        raise Untrusted("there is no id token")
    try:
        decoded = _decoded(provider, there, token)
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            {
                "iss": {"essential": True, "value": provider.issuer},
                "aud": {"essential": True, "value": provider.client_id},
            },
            {
                "nonce": nonce,
                "client_id": provider.client_id,
                "access_token": said.get("access_token"),
            },
        )
        now = int(clock.now().timestamp())
        claims.validate(now=now, leeway=LEEWAY)
        _check_more(claims, provider, now)
    except (JoseError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise Untrusted(f"{type(error).__name__}: {error}") from error
    except RecursionError as error:
        raise Untrusted("nested too deeply") from error
    return dict(claims)


def _decoded(provider: Provider, there: Description, token: str) -> jwt.Token:
    """With the provider's own algorithms only. An unknown key may be a new one: look once."""
    try:
        return _with(oidc_documents.keys(provider, there.keys), there, token)
    except InvalidKeyIdError:
        return _with(oidc_documents.newer_keys(provider, there.keys), there, token)


def _with(keys: KeySet, there: Description, token: str) -> jwt.Token:
    only = JWSRegistry(algorithms=list(there.algorithms), strict_check_header=False)
    return jwt.decode(token, keys, registry=only)


def _check_more(claims: dict[str, Any], provider: Provider, now: int) -> None:
    """What Authlib leaves open."""
    audience, subject = claims["aud"], claims["sub"]
    if isinstance(audience, list) and len(audience) > 1 and "azp" not in claims:
        raise Untrusted("it is for several, and does not say who asked")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
        raise Untrusted("the subject cannot be one")
    if not subject.isprintable():
        raise Untrusted("the subject cannot be read")
    if claims["iat"] < now - OLDEST:
        raise Untrusted("it was signed long ago")
    if claims["iss"] != provider.issuer:
        raise Untrusted("it is of another issuer")
