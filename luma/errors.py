"""Refusals that a user may read."""


class LumaError(Exception):
    """str(error) is one sentence for the user, without ids or jargon."""

    status = 400


class SignInNeeded(LumaError):
    status = 401

    def __init__(self, sentence: str = "Sign in to go on.") -> None:
        super().__init__(sentence)


class NotAllowed(LumaError):
    status = 403


class ProveAgain(NotAllowed):
    """Allowed, but only to somebody who has just shown who they are."""

    def __init__(self, sentence: str = "Show once more that it is you, then go on.") -> None:
        super().__init__(sentence)


class NotFound(LumaError):
    status = 404


class RuleBroken(LumaError):
    """The request is understood and the rules of the house forbid it."""

    status = 409


class TooSlow(LumaError):
    status = 408


class TooLarge(LumaError):
    status = 413


class TooMany(LumaError):
    """Asked too often. The sentence says when to try again."""

    status = 429


class ServiceDown(LumaError):
    """Something LUMA depends on did not answer; trying again later may work."""

    status = 503
