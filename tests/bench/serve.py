"""LUMA as `make run` serves it, on a free port, for as many visitors from one address as it takes.

Prints the port, then serves until it is ended.
"""

import os
import socket
import sys

import uvicorn


def main() -> None:
    door = socket.create_server(("127.0.0.1", 0), backlog=2048)
    port = door.getsockname()[1]
    os.environ["LUMA_PORT"] = str(port)
    os.environ["LUMA_BASE_URL"] = f"http://127.0.0.1:{port}"

    from luma import app
    from luma.pages.guard import limits

    limits.PAGES_PER_SECOND, limits.PAGES_AT_ONCE = 10_000, 10_000
    limits.SOCKETS_PER_ADDRESS = 10_000
    limits.FRAMES_PER_SECOND, limits.FRAMES_AT_ONCE = 10_000, 10_000
    config = uvicorn.Config(
        app.build(),
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws_max_size=2**20,
    )
    server = uvicorn.Server(config)
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.run(sockets=[door])


if __name__ == "__main__":
    main()
