"""Why a gateway did not do what it was asked, or is not believed."""

from luma.errors import LumaError, ServiceDown


class Unverified(LumaError):
    """A call to the webhook that does not prove where it comes from."""


class Stale(Unverified):
    """Signed by who may sign, and `age` seconds ago; below zero, from a clock ahead of ours."""

    def __init__(self, age: int) -> None:
        super().__init__("The signature is too old, or a clock is wrong.")
        self.age = age


class GatewayDown(ServiceDown):
    """No answer, so it may have happened. Ask again with the same key."""

    def __init__(self) -> None:
        super().__init__("The payment service does not answer. Try again in a minute.")


class GatewayRefused(ServiceDown):
    """The answer was no, and the same key would get the same answer: ask anew with another.

    `code` is the gateway's own word for why, if it has one; `said` its sentence, for admins.
    """

    def __init__(self, code: str = "", said: str = "") -> None:
        super().__init__("The payment service could not do that. Try again in a minute.")
        self.code, self.said = code, said


class GatewayMissing(GatewayRefused):
    """It does not have the thing: deleted or archived there, or made with another key's mode."""


class GatewayArchived(GatewayMissing):
    """It is there, and was taken off sale."""


class AlreadyReturned(GatewayRefused):
    """The money is refunded or disputed already: there is nothing to give back."""
