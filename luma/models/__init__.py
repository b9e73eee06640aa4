"""Tables, and the rules a record can check by itself."""

from luma.models import course, order, payment, progress, user
from luma.models.base import Base

__all__ = ["Base", "course", "order", "payment", "progress", "user"]
