"""The Celery application: how a worker works, and what beat asks for.

`celery -A worker worker` and `celery -A worker beat` need no further options.
"""

import sys
from typing import Any

from celery.signals import setup_logging, worker_init

from authenticators.relying_party import OtherRelyingParty
from foundation import logs, settings
from foundation.keyring import BadKey
from foundation.settings import BadSettings
from migrations import is_current
from policy.rules import BadPolicy

try:
    from tasks.broker import RELAY, SWEEP, app
except BadSettings as fault:
    sys.exit(str(fault))

from workflows import installation

__all__ = ["app"]

_chosen = settings.load()

app.conf.update(
    imports=("tasks.deliver", "tasks.judge", "tasks.recall", "tasks.schedule", "tasks.settle"),
    # Delivery mostly waits for vendors. With processes, two cores would send 35 messages a second to a vendor that
    # takes 50 ms. Celery's time limits do not work on threads: every wait of ours is bounded by its own client.
    worker_pool="threads",
    worker_concurrency=_chosen.worker_threads,
    # Fetched ahead, for each thread: the file transport lists its folder at each look, so one look must bring several.
    worker_prefetch_multiplier=4,
    # Acknowledged when done: a killed worker's doorbells come back where the broker can give them back. Twice does no
    # harm, because a message is claimed in the database first.
    task_acks_late=True,
    # Giving a task back each time it kills its worker would never end (celery issue 9082); this is bounded.
    task_reject_on_worker_lost=False,
    task_retry_on_worker_lost=True,
    # A task that runs while the broker is away would be given to a second worker after the reconnect.
    worker_cancel_long_running_tasks_on_connection_loss=True,
    # When it is told to stop, a worker finishes what it sends, for as long as the slowest vendor call may take.
    worker_soft_shutdown_timeout=15,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    beat_schedule_filename=str(_chosen.data_dir / "beat-schedule"),
    beat_schedule={
        # They expire before the next one is due, so that a stopped worker leaves no backlog.
        "relay": {
            "task": RELAY,
            "schedule": _chosen.relay_seconds,
            "options": {"expires": _chosen.relay_seconds},
        },
        "sweep": {
            "task": SWEEP,
            "schedule": _chosen.sweep_seconds,
            "options": {"expires": _chosen.sweep_seconds},
        },
    },
)


@setup_logging.connect
def _log_our_way(**_: Any) -> None:
    logs.set_up(_chosen.log_level)


@worker_init.connect
def _load_all(**_: Any) -> None:
    """A worker with a wrong policy, key, translation or domain, or with old tables, must not take a task."""
    try:
        loaded = installation.load()
        if not is_current(loaded.database):
            sys.exit("The database lacks tables of this version: run `keyturn migrate` first.")
        installation.require_usable_keys(loaded)
    except (BadPolicy, BadKey, BadSettings, OtherRelyingParty) as fault:
        sys.exit(str(fault))
