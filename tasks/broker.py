"""What publishers and workers must agree on: the broker, the queues and which task goes into which.

The database is the truth and the broker a doorbell: a task carries one id, and losing it costs time, never a message.
"""

import tempfile
from pathlib import Path
from typing import Any

from celery import Celery
from kombu import Exchange, Queue

from foundation import settings
from foundation.settings import Settings
from tasks import file_transport

DELIVER = "deliver"
JUDGE = "judge"
SETTLE = "settle"
RECALL = "recall"
RELAY = "relay"
SWEEP = "sweep"


def _transport(chosen: Settings) -> tuple[str, dict[str, Any]]:
    """The broker's URL and the options that its kind needs."""
    settings.make_data_dir(chosen)
    if not chosen.broker_url or chosen.broker_url.startswith("filesystem"):
        return f"{file_transport.SCHEME}://localhost//", _folders(chosen.data_dir / "broker")
    if chosen.broker_url.startswith("redis"):
        return chosen.broker_url, {
            # A killed worker's doorbells come back after two minutes instead of an hour; the relay rings sooner.
            "visibility_timeout": 120,
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "socket_timeout": 30,
            "socket_connect_timeout": 3,
        }
    # Without confirms RabbitMQ may lose what it has not yet written, and nobody is told.
    return chosen.broker_url, {"confirm_publish": True}


def _folders(broker: Path) -> dict[str, Any]:
    names = {"data_folder_in": "queue", "data_folder_out": "queue", "control_folder": "control"}
    fetched = broker / "fetched"
    for folder in (*(broker / name for name in names.values()), fetched):
        folder.mkdir(parents=True, exist_ok=True)
    # The transport moves what it fetches through the temporary directory; on another disk that would be a copy.
    tempfile.tempdir = str(fetched.resolve())
    return {option: str(broker / name) for option, name in names.items()} | {"polling_interval": 0.1}


def _queues(prefix: str) -> list[Queue]:
    exchange = Exchange(prefix, type="topic")
    # Each its own: a backlog of messages must not keep a mail or the sweep waiting.
    return [Queue(f"{prefix}.{name}", exchange, routing_key=name) for name in ("messages", "mails", "schedule")]


def _route(prefix: str, queue: str) -> dict[str, str]:
    return {"queue": f"{prefix}.{queue}", "exchange": prefix, "routing_key": queue}


def _app(chosen: Settings) -> Celery:
    url, options = _transport(chosen)
    prefix = chosen.queue_prefix
    app = Celery("keyturn")
    app.conf.update(
        broker_url=url,
        broker_transport_options=options,
        broker_connection_retry_on_startup=True,
        # A page must not hang while the broker is down: give up soon, the relay makes up for it.
        broker_pool_acquire_timeout=5,
        task_publish_retry_policy={"max_retries": 2, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5},
        task_queues=_queues(prefix),
        # Survives the loss of a RabbitMQ node; costs no more than a classic queue once publishes are confirmed.
        task_default_queue_type="quorum",
        task_default_queue=f"{prefix}.messages",
        task_default_exchange=prefix,
        task_default_exchange_type="topic",
        task_default_routing_key="messages",
        task_routes={
            DELIVER: _route(prefix, "messages"),
            RECALL: _route(prefix, "messages"),
            JUDGE: _route(prefix, "mails"),
            SETTLE: _route(prefix, "mails"),
            RELAY: _route(prefix, "schedule"),
            SWEEP: _route(prefix, "schedule"),
        },
        # Another installation on the same broker may have a worker of the same name on this machine.
        control_exchange=f"{prefix}.control",
        # Exclusive, which is the default, a worker could not start while the broker still knows one that was killed.
        control_queue_exclusive=False,
        # A mistyped queue should fail, not fill up unseen.
        task_create_missing_queues=False,
        # The state is in the database.
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        enable_utc=True,
    )
    return app


app = _app(settings.load())


def declare_queues() -> None:
    """Makes the exchange and the queues.

    Once, before several processes start: with files, two first declarations at the same moment are not safe.
    """
    with app.connection_for_write() as connection:
        for queue in app.conf.task_queues:
            queue(connection.default_channel).declare()
