"""The RabbitMQ that some tests need: the one that answers on its usual port, or the one that a URL names.

There is none inside a wheel, so the tests share what the machine has with whoever else uses it: every test has a
prefix of its own for its queues, and takes away afterwards whatever the worker declares under that prefix.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from amqp.exceptions import AMQPError
from celery import Celery
from celery.app.utils import find_app
from kombu import Connection, Exchange
from kombu.pidbox import Mailbox

USUAL_URL = "amqp://guest:guest@127.0.0.1:5672//"

_ROOT = Path(__file__).parents[2]
_PROBE_SECONDS = 3


class NoRabbitMQ(Exception):
    """No RabbitMQ let us in. Start one, or name one in KEYTURN_TEST_AMQP_URL; without it some tests are not run."""

    def __init__(self, url: str, cause: Exception) -> None:
        parts = urlsplit(url)
        where = f"{parts.hostname}:{parts.port or 5672}"
        super().__init__(f"RabbitMQ: none answered on {where} ({type(cause).__name__})")


@dataclass(frozen=True, slots=True)
class RabbitMQ:
    """A RabbitMQ that answers."""

    url: str


def find(named: str | None = None) -> RabbitMQ:
    """The RabbitMQ on `named`, or on its usual port; raises `NoRabbitMQ`."""
    url = named or USUAL_URL
    try:
        with Connection(url, connect_timeout=_PROBE_SECONDS) as connection:
            connection.transport.establish_connection().close()
    except (OSError, AMQPError) as error:
        raise NoRabbitMQ(url, error) from error
    return RabbitMQ(url)


def remove_queues(app: Celery) -> None:
    """Delete the queues that `app` declares, with what is in them, and their exchanges."""
    with app.connection_for_write() as connection, connection.channel() as channel:
        for queue in app.amqp.queues.values():
            queue(channel).delete()
            if queue.exchange.name:
                queue.exchange(channel).delete()
        for pattern in (Mailbox.exchange_fmt, Mailbox.reply_exchange_fmt):
            Exchange(pattern % app.conf.control_exchange)(channel).delete()


def remove_queues_of_worker(environment: Mapping[str, str]) -> None:
    """Delete the queues that the worker declares with these settings, in a new process, since it reads them once."""
    command = [sys.executable, "-m", __name__]
    subprocess.run(command, cwd=_ROOT, env={**os.environ, **environment}, check=True)


if __name__ == "__main__":
    remove_queues(find_app("worker"))
