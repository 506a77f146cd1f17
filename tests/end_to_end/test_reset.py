"""One reset from a mail in the Maildir to `completed`, in live mode, on each of the three stacks.

All processes are those of `keyturn up`; the customer's pages are asked over HTTP; the mails go through SendGrid's own
SDK to the stand-in.
"""

import re
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest
import urllib3

from inbox.maildir import Maildir
from tests.end_to_end.processes import KEYTURN, keyturn, running
from tests.servers.ports import free_port
from tests.servers.sendgrid import SendGrid, SentMail
from tests.servers.stack import Stack
from tests.servers.waiting import until

PASSPHRASE = "violet harbour lamp"
CUSTOMER, FACTOR_ADDRESS, STRANGER = "dana@pottery.example", "dana@factor.example", "nobody@elsewhere.example"
CODE = re.compile(r"^\s*(\d{4} \d{4})\s*$", re.MULTILINE)
REFERENCE = re.compile(r"R-[0-9A-Z]{4}-[0-9A-Z]{4}")
ACCOUNTS = f"""\
ref,name,country,primary_email,primary_email_verified,two_factor_email,two_factor_email_verified,preference,passphrase
DANA-1,Dana,US,{CUSTOMER},2024-03-02,{FACTOR_ADDRESS},2024-03-02,email,{PASSPHRASE}
"""


@dataclass(frozen=True, slots=True)
class Installed:
    """A running installation and the vendor that it sends to."""

    env: Mapping[str, str]
    sendgrid: SendGrid
    pages: str
    maildir: Maildir

    def mails_to(self, address: str) -> list[SentMail]:
        return [mail for mail in self.sendgrid.sent if mail.to == address]

    def post(self, path: str, cookie: str = "", **fields: str) -> urllib3.BaseHTTPResponse:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
        body = urllib.parse.urlencode(fields)
        return urllib3.request("POST", self.pages + path, body=body, headers=headers, redirect=False)


@pytest.fixture
def installed(stack: Stack, tmp_path: Path) -> Iterator[Installed]:
    port = free_port()
    pages = f"http://127.0.0.1:{port}"
    with SendGrid() as sendgrid:
        env = {
            **stack.env,
            **sendgrid.env,
            "KEYTURN_WEB_PORT": str(port),
            "KEYTURN_PUBLIC_URL": pages,
            "KEYTURN_RELAY_SECONDS": "0.5",
        }
        accounts = tmp_path / "accounts.csv"
        accounts.write_text(ACCOUNTS)
        keyturn(env, "migrate")
        keyturn(env, "account", "import", str(accounts))
        with running((*KEYTURN, "up"), env, tmp_path / "up.log"):
            until(lambda: _is_served(pages), "the pages to be served")
            yield Installed(env, sendgrid, pages, Maildir(Path(env["KEYTURN_DATA_DIR"]) / "maildir"))


def test_a_mail_becomes_a_completed_reset(installed: Installed, tmp_path: Path) -> None:
    installed.maildir.deliver(mail_from(CUSTOMER))
    mail = until(lambda: mails_with_code(installed), "the mail with the code")[0]
    code, reference = found(CODE, mail.text)[1], found(REFERENCE, mail.text)[0]

    typed = installed.post("/", reference=reference.lower(), code=code)
    assert typed.status == 303
    cookie = typed.headers["Set-Cookie"].partition(";")[0]
    assert state_of(installed, reference) == "contact_verified"

    wrong = installed.post(f"/reset/{reference}/passphrase", cookie, passphrase="no idea")  # noqa: S106 - a wrong one
    assert wrong.status == 400
    assert state_of(installed, reference) == "contact_verified"

    right = installed.post(f"/reset/{reference}/passphrase", cookie, passphrase=f" {PASSPHRASE} ")
    assert right.status == 303
    assert state_of(installed, reference) == "completed"

    until(lambda: any("has been reset" in mail.subject for mail in installed.mails_to(CUSTOMER)), "the last notice")
    assert not installed.sendgrid.refused
    secrets = [code, code.replace(" ", ""), PASSPHRASE, CUSTOMER, FACTOR_ADDRESS, found(LINK, mail.text)[1]]
    log = (tmp_path / "up.log").read_text()
    assert [secret for secret in secrets if secret in log] == []
    assert keyturn(installed.env, "audit", "verify") == {"broken": []}


def test_the_answer_is_the_same_for_a_stranger(installed: Installed) -> None:
    installed.maildir.deliver(mail_from(CUSTOMER))
    installed.maildir.deliver(mail_from(STRANGER))
    known = until(lambda: answers_to(installed, CUSTOMER), "the answer to the customer")[0]
    unknown = until(lambda: answers_to(installed, STRANGER), "the answer to the stranger")[0]
    assert known.subject == unknown.subject
    assert known.text == unknown.text
    assert known.html == unknown.html
    assert not REFERENCE.search(known.text)
    assert len(keyturn(installed.env, "reset", "list")) == 1
    held = [mail for mail in keyturn(installed.env, "inbox", "list") if mail["verdict"] == "held"]
    assert len(held) == 1


LINK = re.compile(r"/confirm/R-[0-9A-Z]{4}-[0-9A-Z]{4}/(\S+)")


def mail_from(sender: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, "support@hosting.example", "Lost my phone"
    mail["Message-ID"] = f"<{sender.replace('@', '.')}@mail.example>"
    mail.set_content("I lost my phone and cannot log in. Please reset my two-factor authentication.")
    return mail.as_bytes()


def mails_with_code(installed: Installed) -> list[SentMail]:
    return [mail for mail in installed.mails_to(FACTOR_ADDRESS) if CODE.search(mail.text)]


def answers_to(installed: Installed, address: str) -> list[SentMail]:
    return [mail for mail in installed.mails_to(address) if "received your e-mail" in mail.subject]


def state_of(installed: Installed, reference: str) -> str:
    state: str = keyturn(installed.env, "reset", "show", reference)["case"]["state"]
    return state


def found(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    match = pattern.search(text)
    assert match, text
    return match


def _is_served(pages: str) -> bool:
    try:
        return urllib3.request("GET", f"{pages}/health", retries=False, timeout=2).status == 200
    except urllib3.exceptions.HTTPError:
        return False
