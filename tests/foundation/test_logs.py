"""Logging: whatever a record holds leaves the process redacted, and libraries that log payloads are held down.

Each test runs a process of its own and reads its standard error, because logging is set up once a process.
"""

import re
import subprocess
import sys

import pytest

from tests.servers.sendgrid import API_KEY, SENDER, SendGrid

ADDRESS, PHONE, CODE = "dana@whitfield-pottery.example", "+12025550142", "48217306"
CASE = "018f3c5e-7a10-7d4b-9c1e-2b6f0a91d3e4"

LOG_SECRETS = f"""
import logging
from foundation import logs

logs.set_up("INFO")
log = logging.getLogger("keyturn.test")
log.info("to %s and %s: %s", "{ADDRESS}", {{"phone": "{PHONE}"}}, {CODE})
log.info("case %s", "{CASE}", stack_info=True, extra={{"note": "{ADDRESS}"}})
try:
    try:
        {{}}["{ADDRESS}"]
    except KeyError as cause:
        raise ValueError("{CODE} to {PHONE}") from cause
except ValueError as error:
    error.add_note("asked by {ADDRESS}")
    log.exception("case %s failed", "{CASE}")
logging.getLogger("other.library").warning("a warning about {ADDRESS}")
log.debug("not at this level")
"""

REDACT_AT_THE_SOURCE = f"""
import logging
from foundation import logs

logging.basicConfig(level="DEBUG", format="%(message)s")
for name in ("other", "other.part"):
    logs.redact_at_the_source(name)
    logs.redact_at_the_source(name)
logging.getLogger("other").debug("GET /numbers/%s?to=%s: %d", "{PHONE}", "%2B12025550142", 200)
logging.getLogger("other.part").debug("100 %")
"""

USE_LIBRARIES = """
import logging
import sys

base_url, api_key, sender, how = sys.argv[1:]
if how == "ours":
    from foundation import logs
    logs.set_up("DEBUG")
else:
    logging.basicConfig(level="DEBUG")

import urllib3
from sendgrid import SendGridAPIClient

logging.getLogger("keyturn.test").debug("begin")
mail = {
    "personalizations": [{"to": [{"email": "dana@whitfield-pottery.example"}]}],
    "from": {"email": sender},
    "subject": "Open sesame",
    "content": [{"type": "text/plain", "value": "Open sesame"}],
}
SendGridAPIClient(api_key, host=base_url).client.mail.send.post(request_body=mail)
urllib3.PoolManager(retries=False).request("GET", f"{base_url}/open-sesame", timeout=20)
logging.getLogger("urllib3.connectionpool").warning("a warning")
"""


def errors_of(script: str, *arguments: str) -> str:
    run = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    assert run.stdout == ""
    return run.stderr


def test_no_secret_leaves_in_arguments_tracebacks_notes_or_stacks() -> None:
    text = errors_of(LOG_SECRETS)
    for secret in (ADDRESS, PHONE, CODE):
        assert secret not in text
    assert text.count("•••") >= 8


def test_ids_tracebacks_and_where_it_happened_stay() -> None:
    text = errors_of(LOG_SECRETS)
    assert text.count(f"case {CASE}") == 2
    assert text.count("Traceback (most recent call last):") == 2
    assert "ValueError: ••• to •••" in text
    assert "Stack (most recent call last):" in text


def test_a_line_has_its_time_with_a_zone_its_level_and_who_wrote_it() -> None:
    first, *_, last = errors_of(LOG_SECRETS).splitlines()
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}"
    assert re.fullmatch(rf"{stamp} INFO keyturn\.test: to ••• and {{'phone': '•••'}}: •••", first)
    assert re.fullmatch(rf"{stamp} WARNING other\.library: a warning about •••", last)


def test_what_is_redacted_at_the_source_is_hidden_from_handlers_that_are_not_ours() -> None:
    assert errors_of(REDACT_AT_THE_SOURCE).splitlines() == ["GET /numbers/•••?to=•••: 200", "100 %"]


@pytest.mark.parametrize(("how", "shown"), [("ours", False), ("bare", True)])
def test_at_debug_libraries_do_not_write_keys_and_payloads_as_they_do_by_themselves(how: str, shown: bool) -> None:
    with SendGrid() as sendgrid:
        text = errors_of(USE_LIBRARIES, sendgrid.base_url, API_KEY, SENDER, how)
        assert [mail.subject for mail in sendgrid.sent] == ["Open sesame"]
    for secret in (API_KEY, ADDRESS, "Open sesame", "/open-sesame"):
        assert (secret in text) is shown
    assert "keyturn.test" in text
    assert "a warning" in text


@pytest.mark.parametrize(("level", "written"), [("DEBUG", 4), ("INFO", 3), ("WARNING", 2), ("ERROR", 1)])
def test_the_level_counts_for_us_and_for_libraries_that_are_held_down(level: str, written: int) -> None:
    script = f"""
import logging
from foundation import logs
logs.set_up("{level}")
for name in ("keyturn.test", "transitions.core", "urllib3.connectionpool"):
    for number in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        logging.getLogger(name).log(number, "a line")
"""
    lines = errors_of(script).splitlines()
    of = {name: sum(name in line for line in lines) for name in ("keyturn.test", "transitions.core", "urllib3")}
    assert of == {"keyturn.test": written, "transitions.core": min(written, 2), "urllib3": min(written, 3)}
