"""Every command: done is exit status 0, refused is 1 with the reason in one line, wrong usage is 2.

All installations here are copies of one, which `keyturn migrate` and `keyturn account import` made.
"""

import re
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from models.accounts import Account
from models.base import new_id
from models.factors import Authenticator, AuthenticatorKind, SecurityKey
from policy import rules
from tests.cli.commands import EXAMPLES, KEYTURN, Commands, run
from tests.end_to_end.processes import WORKER
from tests.installations import PASSPHRASE, START, Started, make_installation, start_case, wrong
from workflows.machine import MACHINE

UNKNOWN_REFERENCE = "R-7K2M-9QXW"
MAIL = b"From: dana@whitfield-pottery.example\nSubject: hello\n\nI lost my phone.\n"
LOADED = re.compile(r"^import time:[^|]*\|[^|]*\| +(\w+)", re.MULTILINE)


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Commands:
    """Tables and the sample accounts, for commands that change nothing others look at."""
    keyturn = Commands(tmp_path_factory.mktemp("imported") / "data")
    assert keyturn("migrate", "--json").data == {"migrated": True}
    assert keyturn("account", "import", EXAMPLES / "accounts.csv", "--json").data == {"created": 6, "updated": 0}
    return keyturn


@pytest.fixture
def keyturn(imported: Commands, tmp_path: Path) -> Commands:
    """The same, for a test that changes something."""
    shutil.copytree(imported.data_dir, tmp_path / "data")
    return Commands(tmp_path / "data")


@pytest.fixture
def started(keyturn: Commands) -> Started:
    """DANA-1's case in that installation, its code sent."""
    installation = make_installation("", keyturn.data_dir, keys=())
    try:
        return start_case(installation, "DANA-1", datetime.now(UTC))
    finally:
        installation.database.dispose()


# Done: exit status 0, and JSON where it is asked for.


def test_a_reset_goes_from_code_to_completed(keyturn: Commands, started: Started) -> None:
    typed = f"{started.code[:4]} {started.code[4:]}\n"
    assert keyturn("reset", "verify", started.reference, "--json", stdin=typed).data["state"] == "contact_verified"
    given = keyturn("reset", "passphrase", started.reference, "--json", stdin=f"{PASSPHRASE}\n").data
    assert given["state"] == "completed"
    assert keyturn("reset", "list", "--state", "requested", "--json").data == []
    (line,) = keyturn("reset", "list", "--state", "completed", "--json").data
    assert (line["reference"], line["account"]) == (started.reference, "DANA-1")


def test_a_reset_is_opened_sent_again_and_cancelled(keyturn: Commands) -> None:
    reference = keyturn("reset", "open", "JONAS-3", "--json").data["reference"]
    assert keyturn("reset", "resend", reference, "--json").data["state"] == "requested"
    assert keyturn("reset", "cancel", reference, "--json").data["state"] == "cancelled"
    shown = keyturn("reset", "show", reference.lower().replace("-", ""), "--json").data
    assert shown["case"]["state"] == "cancelled"
    assert [event["event"] for event in shown["history"]] == ["open", "code_queued_again", "cancel"]
    assert {message["kind"] for message in shown["messages"]} > {"reset_code", "notice_cancelled"}


@pytest.mark.parametrize(
    ("command", "keys"),
    [
        (("account", "show", "DANA-1"), {"ref", "contacts", "authenticators", "cases"}),
        (("sweep",), {"expired", "completed"}),
        (("audit", "verify"), {"broken"}),
        (("migrate",), {"migrated"}),
        (("config", "check"), {"mode", "data_dir"}),
        (("policy", "check", rules.SHIPPED), {"file"}),
        (("new-key",), {"key"}),
        (("docs", "diagram"), {"moves"}),
    ],
    ids=lambda value: " ".join(map(str, value[:2])) if isinstance(value, tuple) else "",
)
def test_a_command_answers_in_json(imported: Commands, command: tuple[object, ...], keys: set[str]) -> None:
    assert imported(*command, "--json").data.keys() >= keys


def test_the_doctor_finds_a_demo_well(imported: Commands) -> None:
    findings = imported("doctor", "--json").data
    assert {"database", "broker", "channel email", "channel sms", "channel voice", "channel mail"} <= {
        finding["what"] for finding in findings
    }
    assert all(finding["problem"] is None for finding in findings)


def test_a_mail_is_taken_in_from_standard_input_and_from_a_file(keyturn: Commands, tmp_path: Path) -> None:
    file = tmp_path / "mail.eml"
    file.write_bytes(MAIL)
    ids = {
        keyturn("inbox", "add", "-", "--json", stdin=MAIL.decode()).data["mail_id"],
        keyturn("inbox", "add", file, "--json").data["mail_id"],
    }
    assert {mail["id"] for mail in keyturn("inbox", "list", "--json").data} == ids
    assert stored_mails(keyturn) == [MAIL, MAIL]


def test_the_clock_of_a_demo_moves_for_the_commands_after_it(keyturn: Commands) -> None:
    moved = datetime.fromisoformat(keyturn("clock", "advance", "25h", "--json").data["now"])
    opened = keyturn("reset", "open", "JONAS-3", "--json").data["reference"]
    shown = keyturn("reset", "show", opened, "--json").data
    assert datetime.fromisoformat(shown["case"]["opened_at"]) >= moved


def test_the_diagram_shows_every_move_of_the_machine(imported: Commands) -> None:
    drawn = set(imported("docs", "diagram").out.splitlines())
    for trigger in MACHINE.events:
        moves = MACHINE.get_transitions(trigger)
        assert moves
        for move in moves:
            assert f"    {move.source} --> {move.dest}: {trigger}".lower() in drawn


def test_help_lists_the_commands_and_loads_neither_database_nor_queue(tmp_path: Path) -> None:
    python, *rest = KEYTURN
    done = run((python, "-X", "importtime", *rest, "--help"), Commands(tmp_path).variables)
    assert done.status == 0
    names = ("demo", "up", "inbox", "reset", "account", "sweep", "audit", "migrate", "doctor", "config", "policy")
    listed = re.findall(r"^  ([a-z-]+)  ", done.out, re.MULTILINE)
    assert [name for name in names if name not in listed] == []
    loaded = set(LOADED.findall(done.err))
    assert "click" in loaded
    assert loaded & {"sqlalchemy", "celery", "kombu", "fastapi"} == set()


# Secrets stay where they are.


def test_what_is_shown_of_a_reset_holds_no_secret(keyturn: Commands, started: Started) -> None:
    shown = [keyturn("reset", "show", started.reference, *more).out for more in ((), ("--json",))]
    shown += [keyturn("account", "show", "DANA-1", *more).out for more in ((), ("--json",))]
    assert all(started.reference in text for text in shown)
    secrets = [started.code, f"{started.code[:4]} {started.code[4:]}", started.token, PASSPHRASE, "$argon2"]
    secrets += ["5550142", "555-0142", "dana@whitfield-pottery.example", "dana.whitfield@", "JBSWY3DPEHPK3PXP"]
    assert [secret for secret in secrets for text in shown if secret in text] == []


def test_a_code_or_passphrase_among_the_arguments_is_wrong_usage(keyturn: Commands, started: Started) -> None:
    assert keyturn("reset", "verify", started.reference, started.code).status == 2
    assert keyturn("reset", "passphrase", started.reference, PASSPHRASE).status == 2
    assert keyturn("reset", "show", started.reference, "--json").data["case"]["state"] == "requested"


# Refused: exit status 1, with the reason in one line.


def test_an_unknown_account_is_named(imported: Commands) -> None:
    assert "NOBODY-9" in imported("account", "show", "NOBODY-9").one_line
    assert "NOBODY-9" in imported("reset", "open", "NOBODY-9").one_line


@pytest.mark.parametrize("command", ["show", "verify", "cancel"])
def test_an_unknown_reference_is_refused(imported: Commands, command: str) -> None:
    line = imported("reset", command, UNKNOWN_REFERENCE, stdin="12345678\n").one_line
    assert line == "there is no reset with this reference"


def test_a_refusal_can_be_had_in_json(imported: Commands) -> None:
    done = imported("reset", "show", UNKNOWN_REFERENCE, "--json")
    assert (done.status, done.err) == (1, "")
    assert '"refused": "there is no reset with this reference"' in done.out


def test_a_wrong_code_says_how_many_tries_are_left(keyturn: Commands, started: Started) -> None:
    typed = f"{wrong(started.code)}\n"
    assert keyturn("reset", "verify", started.reference, stdin=typed).one_line == "Wrong code; 4 tries left."
    assert keyturn("reset", "verify", started.reference, stdin=typed).one_line == "Wrong code; 3 tries left."
    malformed = keyturn("reset", "verify", started.reference, stdin="12\n").one_line
    assert "8 digits" in malformed
    assert "not counted" in malformed
    assert keyturn("reset", "verify", started.reference, stdin=typed).one_line == "Wrong code; 2 tries left."


def test_a_closed_reset_says_so_and_since_when(keyturn: Commands, started: Started) -> None:
    closed_at = datetime.fromisoformat(keyturn("reset", "cancel", started.reference, "--json").data["closed_at"])
    line = keyturn("reset", "verify", started.reference, stdin=f"{started.code}\n").one_line
    assert line == f"This reset is closed: cancelled since {closed_at:%Y-%m-%d %H:%M} UTC."


def test_an_import_with_bad_rows_lists_each_and_imports_nothing(keyturn: Commands, tmp_path: Path) -> None:
    file = tmp_path / "accounts.csv"
    file.write_text("ref,name,country\nGOOD-1,Good,US\nBAD-2,Bad,Nowhere\nGOOD-3,Good,US\nBAD-4,,US\n")
    first, *faults = keyturn("account", "import", file).refusal.splitlines()
    assert first.startswith("nothing was imported")
    assert [fault.partition(":")[0] for fault in faults] == ["row 2", "row 4"]
    assert "GOOD-1" in keyturn("account", "show", "GOOD-1").one_line


def test_an_import_of_frozen_accounts_lists_each_and_imports_nothing(
    keyturn: Commands, started: Started, tmp_path: Path
) -> None:
    other = keyturn("reset", "open", "JONAS-3", "--json").data["reference"]
    file = tmp_path / "accounts.csv"
    file.write_text("ref,name,country\nDANA-1,Else,US\nNEW-4,New,US\nJONAS-3,Else,DE\n")
    _, *faults = keyturn("account", "import", file).refusal.splitlines()
    assert [fault.partition(":")[0] for fault in faults] == ["row 1", "row 3"]
    assert started.reference in faults[0]
    assert other in faults[1]
    assert "NEW-4" in keyturn("account", "show", "NEW-4").one_line
    assert keyturn("account", "show", "DANA-1", "--json").data["name"] == "Dana Whitfield"


def test_apps_are_added_once_with_or_without_a_line_of_names(keyturn: Commands, tmp_path: Path) -> None:
    file = tmp_path / "apps.csv"
    line = "RUTH-2,otpauth://totp/Example, Inc:ruth?secret=GEZDGNBVGY3TQOJQ&issuer=Example\n"
    file.write_text(f"ref,uri\n{line}\nDANA-1,otpauth://totp/A:b?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP\n")
    said = keyturn("account", "import-totp", file).out
    assert said == "1 added, 1 known already, 1 weak (a secret under 112 bits)\n"
    file.write_text(line)
    assert keyturn("account", "import-totp", file, "--json").data == {"added": 0, "known": 1, "weak": 1}


def test_bad_apps_are_listed_without_their_secrets_and_none_is_added(keyturn: Commands, tmp_path: Path) -> None:
    file = tmp_path / "apps.csv"
    good = "RUTH-2,otpauth://totp/A:b?secret=GEZDGNBVGY3TQOJQ\n"
    file.write_text(f"{good}NOBODY-9,otpauth://totp/A:b?secret=GEZDGNBVGY3TQOJQ\nRUTH-2,GEZDGNBVGY3TQOJQ\nRUTH-2\n")
    refusal = keyturn("account", "import-totp", file).refusal
    assert [fault.partition(":")[0] for fault in refusal.splitlines()[-3:]] == ["row 2", "row 3", "row 4"]
    assert "GEZDGNBV" not in refusal
    file.write_text(good)
    assert keyturn("account", "import-totp", file, "--json").data["added"] == 1
    file.write_text("ref,uri\n")
    assert str(file) in keyturn("account", "import-totp", file).one_line


def test_a_file_that_cannot_be_read_is_named(imported: Commands, tmp_path: Path) -> None:
    file = tmp_path / "accounts.csv"
    file.write_bytes(b"\xff\xfe\x00")
    assert str(file) in imported("account", "import", file).one_line
    missing = tmp_path / "missing.eml"
    assert str(missing) in imported("inbox", "add", missing).one_line


def test_without_tables_the_command_that_makes_them_is_named(tmp_path: Path) -> None:
    keyturn = Commands(tmp_path / "data")
    assert "`keyturn migrate`" in keyturn("reset", "list").one_line
    assert re.search(r"^database +run `keyturn migrate`$", keyturn("doctor").refusal, re.MULTILINE)


def test_every_bad_setting_is_named(tmp_path: Path) -> None:
    keyturn = Commands(tmp_path / "data")
    faults = keyturn("config", "check", KEYTURN_MODE="trial", KEYTURN_WEB_PORT="none").refusal.splitlines()
    assert [fault.partition(":")[0] for fault in faults] == ["KEYTURN_MODE", "KEYTURN_WEB_PORT"]


def test_a_bad_policy_is_refused_with_file_and_line(tmp_path: Path) -> None:
    shipped = rules.SHIPPED.read_text().splitlines()
    number = shipped.index("wrong_tries_per_case = 10")
    shipped[number] = "wrong_tries_per_case = 0"
    file = tmp_path / "policy.toml"
    file.write_text("\n".join(shipped))
    keyturn = Commands(tmp_path / "data")
    line = keyturn("policy", "check", file).one_line
    assert line.startswith(f"{file}: line {number + 1}: limits.wrong_tries_per_case: ")
    assert keyturn("config", "check", KEYTURN_POLICY_FILE=str(file)).one_line == line


def test_a_translation_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    keyturn = Commands(tmp_path / "data")
    file = tmp_path / "de.po"
    file.write_text('msgid ""\nmsgstr ""\n')
    for command in (("config", "check"), ("letter", "preview", "--out", tmp_path / "letter.html")):
        line = keyturn(*command, KEYTURN_TEXTS_FILE=str(file)).one_line
        assert line == f"KEYTURN_TEXTS_FILE: {file} is no compiled catalogue (.mo); msgfmt makes one"


def test_a_history_that_was_changed_is_refused_with_its_first_broken_line(keyturn: Commands, started: Started) -> None:
    last = len(keyturn("reset", "show", started.reference, "--json").data["history"]) + 1
    assert keyturn("reset", "cancel", started.reference).status == 0
    with closing(sqlite3.connect(keyturn.data_dir / "keyturn.db")) as connection, connection:
        connection.execute("DROP TRIGGER case_event_no_update")
        changed = connection.execute("UPDATE case_event SET actor = 'system' WHERE seq = ?", (last,))
        assert changed.rowcount == 1
    assert keyturn("audit", "verify").one_line.startswith(f"{started.reference} line {last}: it was changed")


def test_in_live_mode_the_doctor_names_what_each_channel_lacks(imported: Commands) -> None:
    text = imported("doctor", KEYTURN_MODE="live").refusal
    found = dict(re.split(r" {2,}", line) for line in text.splitlines())
    assert "KEYTURN_SENDGRID_API_KEY" in found["channel email"]
    assert "KEYTURN_SENDGRID_FROM" in found["channel email"]
    assert [channel for channel in ("sms", "voice", "mail") if found[f"channel {channel}"] == "well"] == []
    assert found["database"] == "well"


@pytest.fixture
def with_key(keyturn: Commands) -> Commands:
    """An account there has a security key, which was registered for hosting.example."""
    installation = make_installation("", keyturn.data_dir, keys=())
    enrolled = {"id": new_id(), "kind": AuthenticatorKind.SECURITY_KEY, "label": "Blue YubiKey", "created_at": START}
    key = {"credential_id": b"id", "public_key": b"key", "sign_count": 1, "transports": "usb"}
    with installation.database.begin() as connection:
        account_id = connection.execute(select(Account.id).where(Account.ref == "DANA-1")).scalar_one()
        connection.execute(insert(Authenticator), enrolled | {"account_id": account_id})
        connection.execute(insert(SecurityKey), key | {"authenticator_id": enrolled["id"], "rp_id": "hosting.example"})
    installation.database.dispose()
    return keyturn


@pytest.mark.parametrize("process", [(*KEYTURN, "web"), (*KEYTURN, "up"), WORKER], ids=["web", "up", "worker"])
def test_nothing_starts_under_a_domain_for_which_the_security_keys_are_not(
    with_key: Commands, process: tuple[str, ...]
) -> None:
    # Celery warns those who run it as root.
    assert run(process, with_key.variables).refusal.endswith(
        "Security keys registered for another domain than localhost would stop working: 1 for hosting.example. "
        "Set KEYTURN_RP_ID to that domain."
    )


def test_the_doctor_says_what_is_wrong_with_security_keys(with_key: Commands) -> None:
    assert re.search(r"^security keys +Security keys registered for another", with_key("doctor").refusal, re.MULTILINE)
    kept = {"KEYTURN_RP_ID": "hosting.example", "KEYTURN_PUBLIC_URL": "https://reset.hosting.example"}
    assert {"what": "security keys", "problem": None} in with_key("doctor", "--json", **kept).data
    refused = with_key("doctor", **kept | {"KEYTURN_PUBLIC_URL": "http://reset.hosting.example"}).refusal
    assert re.search(r"^security keys +no browser uses them at http://reset\.hosting", refused, re.MULTILINE)


SENDGRID = {"SENDGRID_API_KEY": "SG.key", "SENDGRID_FROM": "reset@hosting.example"}
LOB = {
    "LOB_API_KEY": "test_key",
    "LOB_FROM_LINE1": "1 Main Street",
    "LOB_FROM_CITY": "Millbrook",
    "LOB_FROM_STATE": "VT",
    "LOB_FROM_ZIP": "05450",
}


@pytest.mark.parametrize(
    ("vendor", "given", "secret"),
    [("SendGrid", SENDGRID, "SENDGRID_WEBHOOK_KEY"), ("Lob", LOB, "LOB_WEBHOOK_SECRET")],
)
def test_in_live_mode_the_doctor_says_whose_reports_are_refused(
    imported: Commands, vendor: str, given: Mapping[str, str], secret: str
) -> None:
    env = {f"KEYTURN_{name}": value for name, value in given.items()}
    lines = imported("doctor", KEYTURN_MODE="live", **env).refusal.splitlines()
    (line,) = (each for each in lines if each.startswith("reports of"))
    assert line.startswith(f"reports of {vendor}")
    assert f"KEYTURN_{secret} is not set" in line
    with_secret = imported("doctor", KEYTURN_MODE="live", **env, **{f"KEYTURN_{secret}": "MFkw"}).refusal
    assert re.search(rf"^reports of {vendor} +well$", with_secret, re.MULTILINE)


def test_in_live_mode_the_clock_is_not_moved(imported: Commands) -> None:
    assert "demo mode" in imported("clock", "advance", "1h", KEYTURN_MODE="live").one_line


# Wrong usage: exit status 2.


@pytest.mark.parametrize(
    "arguments",
    [
        ("unlock",),
        ("reset", "show"),
        ("reset", "show", "nonsense"),
        ("reset", "list", "--state", "lost"),
        ("clock", "advance", "soon"),
    ],
    ids=" ".join,
)
def test_wrong_usage_shows_how_to_use_it(imported: Commands, arguments: tuple[str, ...]) -> None:
    done = imported(*arguments)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("Usage: ")
    assert "Traceback" not in done.err


def stored_mails(keyturn: Commands) -> list[bytes]:
    with closing(sqlite3.connect(keyturn.data_dir / "keyturn.db")) as connection:
        return [raw for (raw,) in connection.execute("SELECT raw FROM inbound_mail")]
