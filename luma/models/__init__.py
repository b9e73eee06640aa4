"""Tables, and the rules a record can check by itself."""

from luma.models import (
    account_token,
    assistant,
    audit,
    course,
    feedback,
    identity,
    job,
    letter,
    order,
    payment,
    profile,
    progress,
    received,
    review,
    second_factor,
    summary,
    user,
)
from luma.models.base import Base

__all__ = [
    "Base",
    "account_token",
    "assistant",
    "audit",
    "course",
    "feedback",
    "identity",
    "job",
    "letter",
    "order",
    "payment",
    "profile",
    "progress",
    "received",
    "review",
    "second_factor",
    "summary",
    "user",
]
