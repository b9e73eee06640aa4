"""A summary without an AI: the sentences of a text that say most of what it says."""

import re
from collections import Counter
from html import unescape

SENTENCES = 4
LONGEST = 700

_SKIPPED = re.compile(r"<(pre|table|h[1-6])\b[^>]*>.*?</\1>", re.DOTALL)
_ENDS = re.compile(r"</(?:p|li|blockquote)>|<br\s*/?>")
_TAGS = re.compile(r"<[^>]*>")
_BETWEEN = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])|\n+")
_WORD = re.compile(r"\w{4,}")


def of_html(html: str) -> str:
    """The words of a lesson's own HTML, without headings, code and tables."""
    text = _ENDS.sub("\n", _SKIPPED.sub("\n", html))
    return unescape(_TAGS.sub("", text))


def central(text: str) -> str:
    """Up to four sentences in their own order; empty when there are none."""
    sentences = [one for one in map(_trimmed, _BETWEEN.split(text)) if 25 <= len(one) <= 400]
    weights = Counter(word for one in sentences for word in _words(one))
    ranked = sorted(range(len(sentences)), key=lambda at: -_score(sentences[at], at, weights))
    chosen: list[int] = []
    for at in ranked[:SENTENCES]:
        if sum(len(sentences[one]) for one in chosen) + len(sentences[at]) <= LONGEST:
            chosen.append(at)
    return " ".join(dict.fromkeys(sentences[at] for at in sorted(chosen)))


def _score(sentence: str, at: int, weights: Counter[str]) -> float:
    """How much of the whole a sentence shares, whatever its length; the first says what it is."""
    words = _words(sentence)
    shared = sum(weights[word] for word in words) / (len(words) + 3)
    return shared * (1.5 if at == 0 else 1.0)


def _words(sentence: str) -> set[str]:
    return set(_WORD.findall(sentence.lower()))


def _trimmed(sentence: str) -> str:
    return " ".join(sentence.split())
