"""Which channel is served by what, and that a channel without credentials says so."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from pydantic import SecretStr

from foundation.settings import Mode, Settings
from notifiers import directory, outbox
from notifiers.contract import Misconfigured, Notifier
from notifiers.directory import ChannelUnavailable
from notifiers.lob_letter import LobLetter
from notifiers.lob_verification import LobVerification
from notifiers.sandbox import SandboxLetter
from notifiers.sendgrid_email import SendGridEmail
from notifiers.twilio_lookup import TwilioLookup
from notifiers.twilio_sms import TwilioSms
from notifiers.twilio_voice import TwilioVoice
from policy.vocabulary import Channel, MessageKind
from tests.notifiers.samples import message, permit

KEY = SecretStr("SG.key-of-the-tests")
FROM = "reset@hosting.example"


def test_in_demo_mode_every_channel_goes_to_the_outbox(tmp_path: Path) -> None:
    demo = Settings(mode=Mode.DEMO, data_dir=tmp_path, sendgrid_api_key=KEY, sendgrid_from=FROM)

    for channel in Channel:
        sent = message(MessageKind.RESET_CODE, channel)
        assert directory.for_channel(channel, demo).send(sent, permit(channel)).provider == "sandbox"
    assert [item.channel for item in outbox.read(tmp_path / "outbox")] == list(Channel)
    assert directory.available(demo) == dict.fromkeys(Channel)


def test_a_demo_without_a_brand_sends_from_somewhere(tmp_path: Path) -> None:
    demo = Settings(mode=Mode.DEMO, data_dir=tmp_path)

    receipt = directory.for_channel(Channel.EMAIL, demo).send(message(MessageKind.RESET_CODE), permit(Channel.EMAIL))
    assert receipt.provider == "sandbox"


SENDGRID = {"sendgrid_api_key": KEY, "sendgrid_from": FROM}
TWILIO = {"twilio_account_sid": f"AC{0:032x}", "twilio_auth_token": SecretStr("token")}
LOB = {
    "lob_api_key": SecretStr("test_key"),
    "lob_from_line1": "210 King Street",
    "lob_from_city": "Millbrook",
    "lob_from_state": "VT",
    "lob_from_zip": "05001",
}
NUMBER = {"twilio_from": "+12025550100"}
SERVICE = {"twilio_messaging_service_sid": f"MG{0:032x}"}


def live(*given: Mapping[str, Any]) -> Settings:
    """Live settings with these credentials."""
    return Settings(**dict(item for each in given for item in each.items()))


def test_live_mode_with_all_credentials_has_every_channel_over_its_vendor() -> None:
    settings = live(SENDGRID, TWILIO, NUMBER, LOB)

    made = {channel: type(directory.for_channel(channel, settings)) for channel in Channel}
    assert made == {
        Channel.EMAIL: SendGridEmail,
        Channel.SMS: TwilioSms,
        Channel.VOICE: TwilioVoice,
        Channel.MAIL: LobLetter,
    }
    assert directory.available(settings) == dict.fromkeys(Channel)


def test_numbers_are_examined_by_twilio_addresses_by_lob_and_mail_addresses_by_nobody() -> None:
    settings = live(SENDGRID, TWILIO, NUMBER, LOB)

    made = {channel: type(directory.examiner(channel, settings)) for channel in Channel}
    assert made == {
        Channel.EMAIL: type(None),
        Channel.SMS: TwilioLookup,
        Channel.VOICE: TwilioLookup,
        Channel.MAIL: LobVerification,
    }


def test_in_demo_mode_nobody_is_asked(tmp_path: Path) -> None:
    demo = Settings(mode=Mode.DEMO, data_dir=tmp_path)

    assert {directory.examiner(channel, demo) for channel in Channel} == {None}


def test_only_letters_can_be_recalled(tmp_path: Path) -> None:
    demo = Settings(mode=Mode.DEMO, data_dir=tmp_path)
    for settings, recaller in ((live(SENDGRID, TWILIO, NUMBER, LOB), LobLetter), (demo, SandboxLetter)):
        assert type(directory.recaller(Channel.MAIL, settings)) is recaller
        for channel in (Channel.EMAIL, Channel.SMS, Channel.VOICE):
            with pytest.raises(ChannelUnavailable, match="nothing can be stopped here"):
                directory.recaller(channel, settings)


@pytest.mark.parametrize(
    ("channel", "given", "reason"),
    [
        (Channel.SMS, {}, "KEYTURN_TWILIO_ACCOUNT_SID and KEYTURN_TWILIO_AUTH_TOKEN not set"),
        (Channel.SMS, TWILIO, "KEYTURN_TWILIO_FROM or KEYTURN_TWILIO_MESSAGING_SERVICE_SID not set"),
        (Channel.SMS, TWILIO | SERVICE, None),
        (Channel.SMS, TWILIO | NUMBER, None),
        (Channel.VOICE, TWILIO | SERVICE, "KEYTURN_TWILIO_FROM not set"),
        (Channel.VOICE, TWILIO | NUMBER, None),
        (Channel.MAIL, LOB | {"lob_from_zip": ""}, "KEYTURN_LOB_FROM_ZIP not set"),
        (Channel.MAIL, LOB, None),
    ],
)
def test_live_mode_names_what_a_channel_lacks(channel: Channel, given: Mapping[str, Any], reason: str | None) -> None:
    assert directory.available(live(given))[channel] == reason
    if reason:
        with pytest.raises(ChannelUnavailable, match=reason):
            directory.for_channel(channel, live(given))


@pytest.mark.parametrize(
    ("key", "sender", "reason"),
    [
        ("", "", "KEYTURN_SENDGRID_API_KEY and KEYTURN_SENDGRID_FROM not set"),
        ("", FROM, "KEYTURN_SENDGRID_API_KEY not set"),
        ("SG.key", "", "KEYTURN_SENDGRID_FROM not set"),
    ],
)
def test_live_mode_without_credentials_names_what_is_missing(key: str, sender: str, reason: str) -> None:
    settings = Settings(sendgrid_api_key=SecretStr(key), sendgrid_from=sender)

    with pytest.raises(ChannelUnavailable) as caught:
        directory.for_channel(Channel.EMAIL, settings)
    assert (caught.value.channel, caught.value.reason) == (Channel.EMAIL, reason)
    assert directory.available(settings)[Channel.EMAIL] == reason


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Threads take turns after a microsecond, so that a race is met and not only possible."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("hasty_threads")
def test_one_notifier_serves_the_whole_process_also_where_its_threads_begin_at_once() -> None:
    start = Barrier(8)

    def ask(sender: str) -> Notifier:
        start.wait()
        return directory.for_channel(Channel.EMAIL, Settings(sendgrid_api_key=KEY, sendgrid_from=sender))

    with ThreadPoolExecutor(8) as pool:
        for attempt in range(50):
            asked = list(pool.map(ask, [f"reset{attempt}@hosting.example"] * 8))
            assert all(each is asked[0] for each in asked)


def test_asking_what_is_available_loads_no_sdk() -> None:
    asks = (
        "import sys; from foundation.settings import Settings; from notifiers import directory;"
        f"directory.available(Settings(sendgrid_api_key='SG.key', sendgrid_from='{FROM}'));"
        "print({'sendgrid', 'urllib3', 'twilio', 'lob_python'} & set(sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("set()\n", "")


@pytest.mark.parametrize("key", ["SG. key", "SG.key\n", "SG.k\u00e9y"])
def test_a_malformed_key_is_a_fault_of_ours_and_no_channel_that_is_not_there(key: str) -> None:
    settings = live(SENDGRID | {"sendgrid_api_key": SecretStr(key)})
    with pytest.raises(Misconfigured):
        directory.for_channel(Channel.EMAIL, settings)
    reason = "KEYTURN_SENDGRID_API_KEY holds a sign that no key has, such as a blank or a line break"
    assert directory.available(settings)[Channel.EMAIL] == reason
