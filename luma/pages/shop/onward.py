"""Where somebody was going when they had to sign in or sign up first."""

import re
from urllib.parse import urlsplit

from luma.bridge import look
from luma.services import landing

COURSE = re.compile(r"/courses/([a-z0-9-]{1,80})(/buy|/enrol)?(\?code=[A-Za-z0-9%-]{1,120})?")


def safe(onward: str) -> str:
    """The address if it is a path on this very site, else nothing: no open redirects."""
    try:
        parts = urlsplit(onward)
    except ValueError:
        return ""
    plain = onward.isascii() and onward.isprintable() and "\\" not in onward and len(onward) <= 500
    ours = not parts.scheme and not parts.netloc and onward.startswith("/")
    return onward if plain and ours and not onward.startswith("//") else ""


async def buying(onward: str) -> str | None:
    """The title of the course on sale that they are going on to, if it is one."""
    course = COURSE.fullmatch(onward)
    return await look(landing.title_on_sale, course[1]) if course else None
