"""What a reset costs: resets a second and CPU milliseconds a reset, with a real worker and real HTTP.

    python -m bench.reset [--stack sqlite+filesystem|postgresql+redis|postgresql+rabbitmq] [--resets 300]

A reset here: a case is opened, its code goes out through SendGrid's SDK to a stand-in on loopback, the password
sign-in is attested, the code is typed, the case completes; and every message that this owes is sent: with two addresses
an account, three mails. The CPU is that of this process and the worker, user and system, not that of the database, the
broker or the stand-in. Hashing a passphrase is measured beside it: it is meant to be slow.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.servers import lifeline, rabbitmq
from tests.servers.postgres import postgres
from tests.servers.sendgrid import API_KEY, SENDER
from tests.servers.stack import Stack, StackName
from tests.servers.stack import stack as stack_of
from tests.servers.valkey import valkey


def main() -> None:
    """Starts the stack, and plays on it in a process of its own: settings are read once a process."""
    arguments = _arguments()
    with contextlib.ExitStack() as servers:
        data_dir = Path(servers.enter_context(tempfile.TemporaryDirectory()))
        stack = _stack(StackName(arguments.stack), data_dir, servers)
        sendgrid = servers.enter_context(lifeline.started("tests.servers.sendgrid"))
        vendor = {"KEYTURN_SENDGRID_API_KEY": API_KEY, "KEYTURN_SENDGRID_FROM": SENDER}
        env = os.environ | stack.env | vendor | {"KEYTURN_SENDGRID_BASE_URL": sendgrid, "KEYTURN_LOG_LEVEL": "WARNING"}
        print(f"{stack.name}:", flush=True)
        subprocess.run([sys.executable, "-m", "bench.play", str(arguments.resets)], env=env, check=True)
        if stack.name is StackName.RABBITMQ:
            rabbitmq.remove_queues_of_worker(stack.env)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack", choices=[name.value for name in StackName], default=StackName.EMBEDDED.value)
    parser.add_argument("--resets", type=int, default=300)
    return parser.parse_args()


def _stack(name: StackName, data_dir: Path, servers: contextlib.ExitStack) -> Stack:
    if name is StackName.EMBEDDED:
        return stack_of(name, data_dir)
    database = servers.enter_context(postgres())
    if name is StackName.RABBITMQ:
        return stack_of(name, data_dir, database.create_database(), rabbitmq.find().url)
    return stack_of(name, data_dir, database.create_database(), servers.enter_context(valkey()).url)


if __name__ == "__main__":
    main()
