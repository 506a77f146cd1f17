"""Servers that never outlive the program that wanted them, not even if that is killed with -9.

Every server is started by a keeper: `python -m tests.servers.NAME`, in a session of its own, so that Ctrl-C in the
terminal does not reach it. The keeper prints the server's URL when it is ready and reads its standard input, a pipe
from the program that wanted the server. When that closes the pipe, or dies in whatever way, the pipe ends; the keeper
then stops the server, removes its folder and ends too.
"""

import os
import pwd
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.servers.waiting import until

_ROOT = Path(__file__).parents[2]
_STOP_SECONDS = 20


class DidNotStart(Exception):
    """A server for the tests did not start. The text, or what its keeper wrote to standard error, says why."""


@contextmanager
def started(module: str, *arguments: str) -> Iterator[str]:
    """The wanting side: the URL of the server that `python -m module` keeps; it has ended when this has."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(
        command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as keeper:
        assert keeper.stdout is not None
        url = keeper.stdout.readline().strip()
        if not url:
            raise DidNotStart(f"{module} ended before its server was ready")
        yield url


def keep(server: AbstractContextManager[str]) -> None:
    """The keeper's side: run `server`, whose value is its URL, until standard input ends."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit())
    with server as url:
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        sys.stdin.buffer.read()


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A new folder for one server; if we are root, in a place that every user can reach."""
    with tempfile.TemporaryDirectory(prefix="keyturn-test-", dir=_reachable_by_all()) as name:
        yield Path(name)


def _reachable_by_all() -> Path | None:
    if os.geteuid() != 0:
        return None
    places = (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - what is asked is reach alone
    return next((place for place in places if all(f.stat().st_mode & 0o001 for f in (place, *place.parents))), None)


def package_folder(name: str) -> Path:
    """Where the package `name` is installed, without importing it."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise DidNotStart(f"{name} is not installed: ./run test installs what the tests need")
    return Path(spec.origin).parent


def surroundings(folder: Path, user: pwd.struct_passwd | None) -> dict[str, Any]:
    """How a server's programs run: in its `folder`, as `user`, without the caller's PGPORT, locale and the like."""
    identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    return {"cwd": folder, "env": {"PATH": os.defpath, "LC_ALL": "C"}, "stdin": subprocess.DEVNULL, **identity}


@contextmanager
def running(
    command: Sequence[str],
    folder: Path,
    user: pwd.struct_passwd | None = None,
    *,
    ready: str = "ready to accept connections",
) -> Iterator[None]:
    """Run the server `command` in `folder`, as `user` or as ourselves, from when it is ready until the block ends.

    It logs to `log` in that folder, and the words `ready` when it is; PostgreSQL and Valkey have the same ones.
    """
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, **surroundings(folder, user))
    try:
        until(lambda: _is_ready(process, log, ready), f"{command[0]} is ready")
        yield
    finally:
        _stop(process)


def _is_ready(process: subprocess.Popen[bytes], log: Path, ready: str) -> bool:
    ended = process.poll() is not None
    text = log.read_text(errors="replace")
    if ended:
        raise DidNotStart(text)
    return ready in text.lower()


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)  # for PostgreSQL "at once, in order": it does not wait for its clients
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
