"""A LUMA of a test's own, on a free port: prints the port, then serves until it is ended."""

import os
import socket
import sys

import uvicorn


def main() -> None:
    door = socket.create_server(("127.0.0.1", 0))
    port = door.getsockname()[1]
    os.environ["LUMA_PORT"] = str(port)
    os.environ["LUMA_BASE_URL"] = f"http://127.0.0.1:{port}"

    from luma import app, logs
    from luma.models.user import AttemptKind
    from luma.pages.guard import limits
    from luma.services import attempts

    # All visitors of a test come from one address, and quicker than people do.
    limits.PAGES_PER_SECOND, limits.PAGES_AT_ONCE = 1000, 1000
    attempts.LIMITS[AttemptKind.SIGN_UP] = (attempts.Limit(1000, attempts.HOUR),)
    logs.write()
    config = uvicorn.Config(app.build(), log_config=None, access_log=False)
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    uvicorn.Server(config).run(sockets=[door])


if __name__ == "__main__":
    main()
