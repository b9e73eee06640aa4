"""Tables, and the rules a record can check by itself."""

from luma.models import audit, course, order, payment, progress, review, user
from luma.models.base import Base

__all__ = ["Base", "audit", "course", "order", "payment", "progress", "review", "user"]
