"""What pages say about themselves to search engines, as JSON-LD."""

import json
from collections.abc import Mapping

from markupsafe import Markup


def as_script(thing: Mapping[str, object]) -> Markup:
    """For inside a script tag: `<` is written so that no text can end the script."""
    text = json.dumps(thing, ensure_ascii=False)
    for sign, code in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(sign, code)
    return Markup(text)  # noqa: S704  (JSON without a single < in it)
