"""Runs a module as `python -m` does, in a process group that ends when the supervisor does.

`python -m cli.child GRACE MODULE [ARGUMENT…]`, as `cli.supervisor` starts it: as leader of a process group, with a pipe
for standard input into which the supervisor never writes. The end of that pipe means that the supervisor is gone, were
it by kill -9. A guard, forked off before the module is loaded, waits for this end; then it asks the group to stop, and
kills it when its leader has ended or GRACE seconds are over. The guard belongs to the group: what ends the group ends
the guard, and as long as it lives no other group can have the same number.
"""

import os
import runpy
import signal
import sys
import time

_LOOK_SECONDS = 0.05


def main() -> None:
    """Fork the guard off and become the module."""
    grace, module, *arguments = sys.argv[1:]
    leader = os.getpid()
    if os.fork() == 0:
        try:
            _guard(leader, float(grace))
        finally:
            os._exit(1)  # whatever went wrong, a guard never runs the module
    _empty_stdin()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _guard(leader: int, grace: float) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.read(0, 1)
    os.killpg(leader, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while os.getppid() == leader and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    os.killpg(leader, signal.SIGKILL)


def _empty_stdin() -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


if __name__ == "__main__":
    main()
