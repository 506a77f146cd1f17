"""Which channel is served by what, and that a channel without credentials says so."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from pydantic import SecretStr

from foundation.settings import Mode, Settings
from notifiers import directory, outbox
from notifiers.contract import Notifier
from notifiers.directory import ChannelUnavailable
from notifiers.sendgrid_email import SendGridEmail
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


def test_live_mode_with_credentials_has_e_mail_and_says_so_of_the_others() -> None:
    live = Settings(sendgrid_api_key=KEY, sendgrid_from=FROM)

    assert isinstance(directory.for_channel(Channel.EMAIL, live), SendGridEmail)
    assert directory.available(live) == {
        Channel.EMAIL: None,
        **dict.fromkeys((Channel.SMS, Channel.VOICE, Channel.MAIL), "this version sends e-mail only"),
    }


@pytest.mark.parametrize(
    ("key", "sender", "reason"),
    [
        ("", "", "KEYTURN_SENDGRID_API_KEY and KEYTURN_SENDGRID_FROM not set"),
        ("", FROM, "KEYTURN_SENDGRID_API_KEY not set"),
        ("SG.key", "", "KEYTURN_SENDGRID_FROM not set"),
        ("SG.key\n", FROM, "KEYTURN_SENDGRID_API_KEY holds a sign that no key has, such as a blank or a line break"),
    ],
)
def test_live_mode_without_credentials_names_what_is_missing(key: str, sender: str, reason: str) -> None:
    live = Settings(sendgrid_api_key=SecretStr(key), sendgrid_from=sender)

    with pytest.raises(ChannelUnavailable) as caught:
        directory.for_channel(Channel.EMAIL, live)
    assert (caught.value.channel, caught.value.reason) == (Channel.EMAIL, reason)
    assert directory.available(live)[Channel.EMAIL] == reason


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.VOICE, Channel.MAIL])
def test_live_mode_gives_no_sandbox_for_what_it_cannot_send(channel: Channel) -> None:
    with pytest.raises(ChannelUnavailable, match=f"{channel}: this version sends e-mail only"):
        directory.for_channel(channel, Settings(sendgrid_api_key=KEY, sendgrid_from=FROM))


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
