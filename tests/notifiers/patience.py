"""How long a test of a notifier waits for an answer: on a slow machine only what never answers may time out."""

import urllib3

from notifiers import wire
from tests.servers.stand_in import Fault, Hang

SHORT = urllib3.Timeout(connect=0.3, read=0.3)


def patience(fault: Fault) -> urllib3.Timeout:
    """Not long where no answer comes, as in live mode everywhere else."""
    return SHORT if isinstance(fault, Hang) else wire.TIMEOUT
