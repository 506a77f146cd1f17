"""Plays resets on the installation of its environment and prints what they cost; `bench.reset` starts it."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select

import migrations
from foundation import clock
from models.cases import Actor, CaseState, Challenge, ResetCase
from models.messages import Message, MessageStatus
from tasks.ringing import ring
from workflows import importing, installation, opening, proving
from workflows.challenges import unseal
from workflows.passphrases import hash_passphrase, passphrase_matches

_MS = 1000
_WARM_UP = 20
_LOOK_SECONDS = 0.1
_TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Warms up, plays, prints."""
    resets = int(sys.argv[1])
    refs = [f"B-{number}" for number in range(resets + _WARM_UP)]
    migrations.migrate(installation.load().database)
    importing.import_accounts(installation.load(), map(_row, refs), clock.now())
    with _worker() as cpu_of_worker:
        _play(refs[:_WARM_UP])
        cpu_before, began = time.process_time() + cpu_of_worker(), time.perf_counter()
        _play(refs[_WARM_UP:])
        seconds = time.perf_counter() - began
        cpu = time.process_time() + cpu_of_worker() - cpu_before
    print(f"  {resets / seconds:.0f} resets a second; {cpu / resets * _MS:.1f} ms of CPU a reset with its three mails")
    print(f"  {_cpu_of_a_passphrase() * _MS:.1f} ms of CPU more where a passphrase is checked")


def _row(ref: str) -> dict[str, object]:
    return {
        "ref": ref,
        "name": "Bench",
        "country": "DE",
        "primary_email": f"{ref}@primary.example",
        "primary_email_verified": "2026-01-01",
        "two_factor_email": f"{ref}@factor.example",
        "two_factor_email_verified": "2026-01-01",
        "preference": "email",
    }


@contextmanager
def _worker() -> Iterator[Callable[[], float]]:
    """A real worker; gives what tells the CPU seconds that it has used."""
    with tempfile.TemporaryFile() as output:
        command = [sys.executable, "-m", "celery", "-A", "worker", "worker"]
        worker = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            yield lambda: _cpu_of(worker.pid)
        finally:
            worker.terminate()
            worker.wait()


def _cpu_of(pid: int) -> float:
    # proc(5): user and system time are fields 14 and 15, in clock ticks; the second field may hold blanks.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _play(refs: list[str]) -> None:
    """Opens all cases, waits for their codes, proves them, and waits until every message is sent."""
    loaded = installation.load()
    for ref in refs:
        ring(opening.open_case(loaded, ref, actor=Actor.AGENT, now=clock.now()).owed)
    _wait_until_all_is_sent()
    for reference, code in _codes():
        proving.attest_password(loaded, reference, signed_in_at=clock.now(), now=clock.now())
        answer = proving.prove_code(loaded, reference, code, actor=Actor.CUSTOMER, now=clock.now())
        if answer.state is not CaseState.COMPLETED:
            sys.exit(f"a reset did not complete: {answer.problem}")
        ring(answer.owed)
    _wait_until_all_is_sent()


def _wait_until_all_is_sent() -> None:
    statement = select(func.count()).where(Message.status.in_([MessageStatus.QUEUED, MessageStatus.CLAIMED]))
    while True:
        with installation.load().database.read() as connection:
            if connection.execute(statement).scalar_one() == 0:
                return
        time.sleep(_LOOK_SECONDS)


def _codes() -> list[tuple[str, str]]:
    """References and codes of the cases that wait for one."""
    loaded = installation.load()
    statement = (
        select(ResetCase.reference, Challenge.id, Challenge.sealed_secret, Challenge.digits)
        .join(Challenge, Challenge.case_id == ResetCase.id)
        .where(ResetCase.state == CaseState.REQUESTED)
    )
    with loaded.database.read() as connection:
        rows = connection.execute(statement).all()
    return [(row.reference, unseal(loaded.keyring, row.id, row.sealed_secret, row.digits).code()) for row in rows]


def _cpu_of_a_passphrase() -> float:
    passphrase_hash, times = hash_passphrase("violet harbour lamp"), 20
    began = time.process_time()
    for _ in range(times):
        passphrase_matches("violet harbour lamp", passphrase_hash)
    return (time.process_time() - began) / times


if __name__ == "__main__":
    main()
