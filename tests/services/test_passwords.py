"""Passwords: which are refused, and that time tells nothing."""

import unicodedata

import passlib
import pytest

from luma.errors import RuleBroken
from luma.services import passwords


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "at least 10"),
        ("x" * 257, "at most 256"),
        ("password1234", "Many people"),
        ("1234567890", "Many people"),
        ("aaaaaaaaaaaa", "Many people"),
        ("PASSWORD1234", "Many people"),
        ("annaberg2024", "your own name"),
        ("luma20242024", "your own name"),
        ("ten\0letters", "cannot be typed"),
        ("ten\ud800letters", "cannot be typed"),
    ],
)
def test_a_password_others_would_guess_is_refused(password: str, why: str) -> None:
    with pytest.raises(RuleBroken, match=why):
        passwords.check(password, "Anna Berg", "annaberg@example.org")


@pytest.mark.parametrize("password", ["a lamp in the window", "🦉🐝🌲🪁🎈🎹🧵🪵🧭🪐", "x9-kt" * 20])
def test_a_long_password_needs_no_rules(password: str) -> None:
    passwords.check(password, "Anna Berg", "anna@example.org")

    assert passwords.verified(password, passwords.hashed(password)) == (True, None)


def test_the_same_word_typed_on_another_keyboard_is_the_same_password() -> None:
    composed = unicodedata.normalize("NFC", "Ünique Käfer")
    decomposed = unicodedata.normalize("NFD", composed)

    known = passwords.hashed(composed)

    assert composed != decomposed
    assert passwords.verified(decomposed, known)[0]


def test_a_hash_with_old_parameters_comes_back_renewed() -> None:
    from passlib.hash import argon2

    weak = argon2.using(memory_cost=8192, time_cost=1, parallelism=1).hash("a lamp in the window")

    right, renewed = passwords.verified("a lamp in the window", weak)

    assert right
    assert renewed is not None
    assert "m=19456,t=2,p=1" in renewed


@pytest.mark.parametrize("password", ["", "x" * 5000, "a\0b", "half \ud800 sign"])
def test_no_password_breaks_the_check(password: str) -> None:
    assert passwords.verified(password, passwords.hashed("a lamp in the window"))[0] is False
    assert passwords.verified(password, None) == (False, None)


def test_this_is_the_maintained_passlib() -> None:
    assert tuple(map(int, passlib.__version__.split(".")[:2])) >= (1, 9)
