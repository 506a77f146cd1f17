"""What an installation does where something around it is missing or wrong: a channel, the broker, a decent mail."""

import os
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.processes import BEAT, KEYTURN, ROOT, keyturn, running, worker
from tests.servers.ports import LOOPBACK, free_port
from tests.servers.sendgrid import SendGrid
from tests.servers.stack import Stack, StackName
from tests.servers.stack import stack as stack_of
from tests.servers.waiting import until

HEAD = "ref,name,country,two_factor_email,two_factor_email_verified,phone,phone_verified,preference,backup"
ROW = "DANA-1,Dana,US,dana@factor.example,2024-03-02,+12025550142,2024-03-02,sms,"


@pytest.fixture
def embedded(tmp_path: Path) -> Stack:
    return stack_of(StackName.EMBEDDED, tmp_path / "data")


def imported(env: Mapping[str, str], tmp_path: Path, row: str) -> None:
    accounts = tmp_path / "accounts.csv"
    accounts.write_text(f"{HEAD}\n{row}\n")
    keyturn(env, "migrate")
    keyturn(env, "account", "import", str(accounts))


def case_of(env: Mapping[str, str], reference: str) -> dict[str, Any]:
    case: dict[str, Any] = keyturn(env, "reset", "show", reference)["case"]
    return case


def test_a_code_for_a_channel_that_live_mode_lacks_goes_over_the_backup(embedded: Stack, tmp_path: Path) -> None:
    with SendGrid() as sendgrid:
        env = {**embedded.env, **sendgrid.env}
        imported(env, tmp_path, ROW + "email")
        reference = keyturn(env, "reset", "open", "DANA-1")["reference"]
        with worker(env, tmp_path / "worker.log"):
            until(lambda: any(reference in mail.text for mail in sendgrid.sent), "the code over the backup channel")
        assert case_of(env, reference)["channel"] == "email"


def test_without_a_backup_the_case_is_held_until_a_supervisor_releases_it(embedded: Stack, tmp_path: Path) -> None:
    with SendGrid() as sendgrid:
        env = {**embedded.env, **sendgrid.env}
        imported(env, tmp_path, ROW)
        reference = keyturn(env, "reset", "open", "DANA-1")["reference"]
        with worker(env, tmp_path / "worker.log"):
            until(lambda: case_of(env, reference)["held_for"] == "undeliverable", "the case to be held")
        keyturn(env, "reset", "release", reference)
        assert case_of(env, reference)["held_for"] is None


def test_a_broker_that_is_away_delays_a_message_and_fails_no_command(embedded: Stack, tmp_path: Path) -> None:
    with SendGrid() as sendgrid:
        env = {**embedded.env, **sendgrid.env, "KEYTURN_RELAY_SECONDS": "0.5"}
        imported(env, tmp_path, ROW.replace(",sms,", ",email,"))
        nobody = {"KEYTURN_BROKER_URL": f"amqp://guest:guest@{LOOPBACK}:{free_port()}//"}
        reference = keyturn({**env, **nobody}, "reset", "open", "DANA-1")["reference"]
        with worker(env, tmp_path / "worker.log"), running(BEAT, env, tmp_path / "beat.log"):
            until(lambda: any(reference in mail.text for mail in sendgrid.sent), "the relay to ring for the code")


def test_a_mail_that_holds_what_no_text_column_takes_is_judged(stack: Stack, tmp_path: Path) -> None:
    head = b"From: a@stranger.example\r\nMessage-ID: <a\x00@b>\r\nSubject: x\x00y\r\n"
    (tmp_path / "mail.eml").write_bytes(head + b"\r\nI lost my phone\x00, please reset my 2FA.")
    keyturn(stack.env, "migrate")
    keyturn(stack.env, "inbox", "add", str(tmp_path / "mail.eml"))
    with worker(stack.env, tmp_path / "worker.log"):
        until(lambda: keyturn(stack.env, "inbox", "list")[0]["verdict"] != "received", "the mail to be judged")


def test_a_demo_does_not_join_an_installation_that_the_environment_names(embedded: Stack) -> None:
    env = {**embedded.env, "KEYTURN_DATABASE_URL": "postgresql://nobody@127.0.0.1/production"}
    done = subprocess.run(
        [*KEYTURN, "demo", "--auto"],
        cwd=ROOT,
        env=os.environ | env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("KEYTURN_DATABASE_URL is set")


def test_the_data_folder_is_closed_to_other_users(embedded: Stack) -> None:
    keyturn(embedded.env, "migrate")
    assert stat.S_IMODE(Path(embedded.env["KEYTURN_DATA_DIR"]).stat().st_mode) == 0o700


def test_the_same_file_name_with_another_mail_is_another_mail(embedded: Stack, tmp_path: Path) -> None:
    keyturn(embedded.env, "migrate")
    new = tmp_path / "data" / "maildir" / "new"
    with running((*KEYTURN, "inbox", "watch"), embedded.env, tmp_path / "watch.log"):
        until(new.is_dir, "the Maildir")
        for text in (b"one", b"another"):
            (new / "mail.eml").write_bytes(b"From: a@b.example\r\n\r\n" + text)
            until(lambda: not any(new.iterdir()), "the mail to be put away")
    assert len(keyturn(embedded.env, "inbox", "list")) == 2
