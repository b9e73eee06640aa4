"""What plain forms and addresses send, as routes take it."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Form, Query

Field = Annotated[str, Form()]
Onward = Annotated[str, Query(alias="next")]
OnwardField = Annotated[str, Form(alias="next")]

MOST_SIGNS = 60
"""Of a code, that an address keeps: a little more than any has, so that typing errors show."""


def coded(code: str) -> str:
    """What keeps a coupon's code in an address."""
    return f"?{urlencode({'code': code[:MOST_SIGNS]})}" if code.strip() else ""
