"""Files that a killed process left half written in the embedded broker stop no worker."""

from pathlib import Path

from tests.end_to_end.processes import BEAT, keyturn, running, worker
from tests.servers.stack import StackName, stack
from tests.servers.waiting import until

CUT_OFF = ("", '{"body": "W10', "[]]")


def test_a_worker_drops_what_is_broken_and_goes_on(tmp_path: Path) -> None:
    embedded = stack(StackName.EMBEDDED, tmp_path / "data")
    env = {**embedded.env, "KEYTURN_SWEEP_SECONDS": "0.5"}
    keyturn(env, "migrate")
    broker, prefix = tmp_path / "data" / "broker", env["KEYTURN_QUEUE_PREFIX"]
    (broker / "control" / f"{prefix}.exchange").write_text('[["mess')
    for number, text in enumerate(CUT_OFF):
        (broker / "queue" / f"{number}_cut.{prefix}.schedule.msg").write_text(text)
    with worker(env, tmp_path / "worker.log") as working, running(BEAT, env, tmp_path / "beat.log"):
        until(lambda: working.says("a broken message was dropped"), "the broken messages to be dropped")
        until(lambda: working.says("sweep: done"), "the worker to go on")


def test_a_message_is_never_there_in_part(tmp_path: Path) -> None:
    embedded = stack(StackName.EMBEDDED, tmp_path / "data")
    keyturn(embedded.env, "migrate")
    keyturn(embedded.env, "inbox", "add", "examples/lost-phone.eml")
    (bell,) = (tmp_path / "data" / "broker" / "queue").iterdir()
    assert not bell.name.startswith(".")
    assert bell.read_text().endswith("}")
