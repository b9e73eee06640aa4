"""Stripe's published description of its API: every request, answer and event is held against it.

The file is not part of the project. Without it the tests run all the same and say so.
"""

import json
import os
import re
import warnings
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import stripe
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has none

ROOT = Path(__file__).parents[2]
BESIDE = ROOT.parent / "shared" / "stripe" / "stripe-openapi-trimmed.json"
DESCRIPTION = Path(os.environ.get("LUMA_STRIPE_CONTRACT", BESIDE))
FORM = "application/x-www-form-urlencoded"

NUMBERS = ("integer", "number")

Schema = dict[str, Any]


def request_faults(method: str, path: str, body: str) -> list[str]:
    """What Stripe would refuse about this request."""
    if (found := _operation(method, path)) is None:
        return [] if _spec() is None else [f"{method} {path} is not in the description"]
    return _faults(_form(found), asked(method, path, body), f"{method} {path}")


def asked(method: str, path: str, body: str) -> dict[str, Any]:
    """What a form says, nested and with numbers and truths as such."""
    found = _operation(method, path)
    if path.startswith("/v2/"):
        sent: dict[str, Any] = json.loads(body) if body.startswith("{") else {}
        return sent
    read: dict[str, Any] = _typed(_nested(body), _form(found) if found else {})
    return read


def answer_faults(method: str, path: str, status: int, answer: object) -> list[str]:
    found = _operation(method, path)
    if found is None:
        return []
    responses = found["responses"]
    described = responses.get(str(status)) or responses["default"]
    schema = described["content"]["application/json"]["schema"]
    return _faults(schema, answer, f"{status} to {method} {path}")


def event_faults(event: object) -> list[str]:
    """What no event of Stripe's looks like, outside and in the object it carries."""
    if isinstance(event, dict) and event.get("object") == "v2.core.event":
        return _faults({"$ref": "#/components/schemas/v2.core.event"}, event, "thin event")
    outside = _faults({"$ref": "#/components/schemas/event"}, event, "event")
    if outside or not isinstance(event, dict):
        return outside
    inside = event["data"]["object"]
    return _faults({"$ref": f"#/components/schemas/{inside['object']}"}, inside, inside["object"])


def example(name: str) -> dict[str, Any]:
    """Stripe's own example of an object, or an empty one without the description."""
    spec = _spec()
    found: dict[str, Any] = json.loads(json.dumps(spec["x-luma-fixtures"][name])) if spec else {}
    return found


@cache
def _spec() -> Schema | None:
    path = DESCRIPTION
    if not path.exists():
        warnings.warn(
            f"Stripe's description is not at {path}: nothing is held against it.", stacklevel=2
        )
        return None
    spec: Schema = json.loads(path.read_text())
    _without_configurations(spec)
    _with_the_switch(spec)
    _with_todays_release(spec)
    return spec


def _without_configurations(spec: Schema) -> None:
    """Since 2026-09-30.endive no link to an onboarding names them; the description is older."""
    asked = _form(spec["paths"]["/v2/core/account_links"]["post"])
    answered = spec["components"]["schemas"]["v2.core.account_link"]
    for schema in (asked, answered):
        uses = schema["properties"]["use_case"]["properties"]
        for use in ("account_onboarding", "account_update"):
            uses[use]["properties"].pop("configurations", None)
            uses[use]["required"] = ["refresh_url"]


def _with_todays_release(spec: Schema) -> None:
    """The file's list of releases ends before the library's own."""
    asked = _form(spec["paths"]["/v1/webhook_endpoints"]["post"])
    asked["properties"]["api_version"]["enum"].append(stripe.api_version)


def _with_the_switch(spec: Schema) -> None:
    """The file leaves out how a destination of events is switched on; the library has it."""
    path = "/v2/core/event_destinations/{id}"
    answers = spec["paths"][path]["get"]["responses"]
    nothing = {"content": {"application/json": {"schema": {"type": "object", "maxProperties": 0}}}}
    spec["paths"][f"{path}/enable"] = {"post": {"requestBody": nothing, "responses": answers}}


def _operation(method: str, path: str) -> Schema | None:
    spec = _spec()
    if spec is None:
        return None
    for template, operations in spec["paths"].items():
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
        if re.fullmatch(pattern, path) and method.lower() in operations:
            found: Schema = operations[method.lower()]
            return found
    return None


def _form(operation: Schema) -> Schema:
    content = operation.get("requestBody", {}).get("content", {})
    found: Schema = content.get(FORM) or content.get("application/json", {})
    schema: Schema = found.get("schema", {})
    return schema or _query(operation)


def _query(operation: Schema) -> Schema:
    """What may stand in the address of a question, in the words of a form."""
    named = [one for one in operation.get("parameters", []) if one["in"] == "query"]
    properties = {one["name"]: one["schema"] for one in named}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _faults(schema: Schema, value: object, where: str) -> list[str]:
    spec = _spec()
    if spec is None:
        return []
    whole = {"components": spec["components"], **schema}
    return [
        f"{where}: {'.'.join(map(str, error.path))}: {error.message[:300]}"
        for error in Draft202012Validator(whole).iter_errors(value)
    ]


def _nested(body: str) -> dict[str, Any]:
    """`a[b][0]=c` as {"a": {"b": ["c"]}}."""
    root: dict[str, Any] = {}
    for name, value in parse_qsl(body, keep_blank_values=True):
        keys = re.findall(r"[^\[\]]+", name)
        place = root
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = value
    return {key: _lists(value) for key, value in root.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _lists(one) for key, one in value.items()}
    is_list = inner and list(inner) == [str(number) for number in range(len(inner))]
    return list(inner.values()) if is_list else inner


def _typed(value: Any, schema: Schema) -> Any:
    """A form has only text: read numbers and truths where the description says so."""
    if isinstance(value, dict):
        known = {
            name: one
            for kind in (schema, *schema.get("anyOf", []))
            for name, one in kind.get("properties", {}).items()
        }
        other = schema.get("additionalProperties")
        other = other if isinstance(other, dict) else {}
        return {key: _typed(one, known.get(key, other)) for key, one in value.items()}
    if isinstance(value, list):
        return [_typed(one, schema.get("items", {})) for one in value]
    kinds = [schema, *schema.get("anyOf", [])]
    if any(kind.get("type") == "boolean" for kind in kinds) and value in ("true", "false"):
        return value == "true"
    is_whole = re.fullmatch(r"-?\d+", value) is not None
    return int(value) if is_whole and any(k.get("type") in NUMBERS for k in kinds) else value
