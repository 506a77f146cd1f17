"""Every channel of a running installation in live mode: the vendors' own SDKs, what vendors say later, the call's keys.

All processes are those of `keyturn up`; the vendors are stand-ins, and this test signs as they do.
"""

import re
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.end_to_end.processes import KEYTURN, keyturn, running
from tests.servers import lob as lobs
from tests.servers import sendgrid as sendgrids
from tests.servers import signing
from tests.servers.lob import Lob
from tests.servers.ports import free_port
from tests.servers.sendgrid import SendGrid
from tests.servers.stack import StackName
from tests.servers.stack import stack as stack_of
from tests.servers.twilio import AUTH_TOKEN, StartedCall, Twilio
from tests.servers.waiting import until

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
HEAD = (
    "ref,name,country,primary_email,primary_email_verified,two_factor_email,two_factor_email_verified,phone,"
    "phone_verified,postal_line1,postal_city,postal_state,postal_zip,postal_verified,preference,backup"
)


def row(ref: str, phone: str, preference: str, backup: str = "") -> str:
    mails = f"{ref.lower()}@primary.example,2024-03-02,{ref.lower()}@factor.example,2024-03-02"
    home = "48 Orchard Lane,Millbrook,VT,05450,2024-03-02"
    return f"{ref},{ref},US,{mails},{phone},2024-03-02,{home},{preference},{backup}"


ROWS = (
    row("TEXTED", "+12025550142", "sms", "email"),
    row("CALLED", "+12025550143", "voice"),
    row("STOPPER", "+12025550144", "voice"),
    row("WRITTEN", "+12025550145", "mail"),
    row("LANDLINE", "+12025550146", "sms", "voice"),
)


@dataclass(frozen=True, slots=True)
class Installed:
    """A running installation and its vendors."""

    env: Mapping[str, str]
    pages: str
    sendgrid: SendGrid
    twilio: Twilio
    lob: Lob

    def open(self, ref: str) -> str:
        reference: str = keyturn(self.env, "reset", "open", ref)["reference"]
        return reference

    def case(self, reference: str) -> Any:
        return keyturn(self.env, "reset", "show", reference)

    def post(self, path: str, headers: Mapping[str, str] | None = None, **fields: str) -> urllib3.BaseHTTPResponse:
        heads = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        return urllib3.request(
            "POST", self.pages + path, body=urllib.parse.urlencode(fields), headers=heads, redirect=False
        )

    def twilio_says(self, url: str, **fields: str) -> str:
        headers = signing.twilio(AUTH_TOKEN, url, fields)
        answer = self.post(url.removeprefix(self.pages), headers, **fields)
        assert answer.status in {200, 204}, answer.status
        return answer.data.decode()

    def proves(self, reference: str, code: str) -> None:
        assert self.post("/", reference=reference, code=code).status == 303
        assert self.case(reference)["case"]["state"] == "passphrase_checked"


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installed]:
    port = free_port()
    pages = f"http://127.0.0.1:{port}"
    with SendGrid() as sendgrid, Twilio() as twilio, Lob() as lob:
        env = {
            **stack_of(StackName.EMBEDDED, tmp_path / "data").env,
            **sendgrid.env,
            **twilio.env,
            **lob.env,
            "KEYTURN_WEB_PORT": str(port),
            "KEYTURN_PUBLIC_URL": pages,
            "KEYTURN_RELAY_SECONDS": "0.5",
        }
        accounts = tmp_path / "accounts.csv"
        accounts.write_text("\n".join((HEAD, *ROWS)))
        keyturn(env, "migrate")
        keyturn(env, "account", "import", str(accounts))
        with running((*KEYTURN, "up"), env, tmp_path / "up.log"):
            until(lambda: _is_served(pages), "the pages to be served")
            yield Installed(env, pages, sendgrid, twilio, lob)


def test_a_code_goes_over_every_channel_and_no_log_holds_it(installed: Installed, tmp_path: Path) -> None:
    codes = [
        a_text_that_cannot_arrive_is_followed_by_a_mail(installed),
        a_call_reads_the_code_after_a_key(installed),
        a_letter_brings_the_code(installed),
    ]
    a_call_stops_the_reset(installed)
    a_letter_is_recalled(installed)
    a_landline_is_called_instead(installed)

    assert [*installed.sendgrid.refused, *installed.twilio.refused, *installed.lob.refused] == []
    log = (tmp_path / "up.log").read_text()
    secrets = [*codes, AUTH_TOKEN, lobs.API_KEY, sendgrids.API_KEY, "Orchard Lane", "555014", "@factor.example"]
    secrets += [f"{code[: len(code) // 2]} {code[len(code) // 2 :]}" for code in codes]
    assert [secret for secret in secrets if secret in log] == []
    assert keyturn(installed.env, "audit", "verify") == {"broken": []}


def a_text_that_cannot_arrive_is_followed_by_a_mail(installed: Installed) -> str:
    reference = installed.open("TEXTED")
    text = until(lambda: [each for each in installed.twilio.sent if reference in each.body], "the text")[0]
    code = re.sub(r"\D", "", text.body[:9])
    host = installed.pages.split("//")[1].split(":")[0]
    assert text.body.splitlines()[-1] == f"@{host} #{code}"
    assert 500 < text.form["ValidityPeriod"] <= 600
    until(lambda: installed.case(reference)["messages"][0]["status"] == "sent", "the receipt to be recorded")
    fields = {"MessageSid": text.sid, "MessageStatus": "undelivered", "ErrorCode": "30005", "To": text.to}
    for _ in range(2):
        installed.twilio_says(text.form["StatusCallback"], **fields)
    mails = until(lambda: [mail for mail in installed.sendgrid.sent if "Go on with the reset" in mail.text], "the mail")
    events = [event["event"] for event in installed.case(reference)["history"]]
    assert events == ["open", "undelivered", "fell_back"]
    match = re.search(r"^ {4}(\d{4}) (\d{4})$", mails[0].text, re.MULTILINE)
    assert match is not None
    installed.proves(reference, match[1] + match[2])
    return code


def a_call_reads_the_code_after_a_key(installed: Installed) -> str:
    reference = installed.open("CALLED")
    call = called(installed, "+12025550143")
    answer = {"CallSid": call.sid, "From": call.form["From"], "To": call.to, "CallStatus": "in-progress"}
    assert spoken(installed.twilio_says(call.url, **answer)) == ""
    code = spoken(installed.twilio_says(f"{call.url}/key", **answer, Digits="1"))[:8]
    assert spoken(installed.twilio_says(f"{call.url}/key", **answer, Digits="1")) == ""
    installed.proves(reference, code)
    return code


def a_call_stops_the_reset(installed: Installed) -> None:
    reference = installed.open("STOPPER")
    call = called(installed, "+12025550144")
    for number in range(2):
        words = {"CallSid": call.sid, "CallStatus": "busy", "SequenceNumber": str(number), "To": call.to}
        installed.twilio_says(call.form["StatusCallback"], **words)
    until(lambda: installed.case(reference)["messages"][0]["status"] == "queued", "the call to be tried again")
    installed.twilio_says(f"{call.url}/key", CallSid=call.sid, Digits="9", To=call.to)
    assert installed.case(reference)["case"]["state"] == "cancelled"


def a_letter_brings_the_code(installed: Installed) -> str:
    reference = installed.open("WRITTEN")
    letter = until(lambda: installed.lob.letters, "the letter")[0]
    assert installed.lob.verifications[0]["primary_line"] == "48 Orchard Lane"
    match = re.search(r'class="code">(\d{5}) (\d{5})<', letter.html)
    assert match is not None
    until(lambda: installed.case(reference)["messages"][0]["status"] == "sent", "the receipt to be recorded")
    installed.proves(reference, match[1] + match[2])
    return match[1] + match[2]


def a_letter_is_recalled(installed: Installed) -> None:
    (reference,) = (
        each["reference"] for each in keyturn(installed.env, "reset", "list") if each["account"] == "WRITTEN"
    )
    keyturn(installed.env, "reset", "cancel", reference)
    until(lambda: installed.lob.letters[0].deleted, "the letter to be taken back")
    until(lambda: installed.case(reference)["history"][-1]["event"] == "letter_stopped", "the history to say so")


def a_landline_is_called_instead(installed: Installed) -> None:
    installed.twilio.set_line_type("+12025550146", "landline")
    reference = installed.open("LANDLINE")
    assert called(installed, "+12025550146").to == "+12025550146"
    assert all(text.to != "+12025550146" for text in installed.twilio.sent)
    assert installed.case(reference)["case"]["channel"] == "voice"


def called(installed: Installed, number: str) -> StartedCall:
    return until(lambda: [call for call in installed.twilio.calls if call.to == number], "the call")[0]


def spoken(twiml: str) -> str:
    """The digits that a call says."""
    said = re.findall(r"<Say[^>]*>(\w+)</Say>", twiml)
    return "".join(str(WORDS.index(word)) for word in said if word in WORDS)


def _is_served(pages: str) -> bool:
    try:
        return urllib3.request("GET", f"{pages}/health", retries=False, timeout=2).status == 200
    except urllib3.exceptions.HTTPError:
        return False
