"""Ports nobody uses, from below the range that the system gives to whoever asks for any."""

import random
import socket


def free_port() -> int:
    """It stays free until it is used: no connection and no other test's server gets it."""
    while True:
        port = random.randrange(20_000, 32_000)
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
