"""How a permit is heeded, and that an error's text gives nothing away."""

from datetime import timedelta

import pytest

from notifiers import contract
from notifiers.contract import DeliveryFailed, PermitMisused, Rejected
from policy.vocabulary import Channel
from tests.notifiers.samples import EMAIL, HOME, NOW, PHONE, permit

LATER = NOW + timedelta(hours=1)


def test_a_permit_gives_the_destination_on_its_own_channel() -> None:
    assert contract.text_destination(permit(Channel.EMAIL, until=LATER), Channel.EMAIL, NOW) == EMAIL
    assert contract.text_destination(permit(Channel.SMS, until=LATER), Channel.SMS, NOW) == PHONE
    assert contract.postal_destination(permit(Channel.MAIL, until=LATER), NOW) == HOME


def test_a_permit_for_another_channel_is_refused_though_the_destination_is_the_same() -> None:
    with pytest.raises(PermitMisused, match="a permit for sms cannot be used for voice"):
        contract.text_destination(permit(Channel.SMS, until=LATER), Channel.VOICE, NOW)
    with pytest.raises(PermitMisused, match="a permit for email cannot be used for mail"):
        contract.postal_destination(permit(Channel.EMAIL, until=LATER), NOW)


def test_a_permit_is_good_until_its_end_and_no_longer() -> None:
    ends = permit(Channel.EMAIL, until=LATER)

    assert contract.text_destination(ends, Channel.EMAIL, LATER - timedelta(microseconds=1)) == EMAIL
    with pytest.raises(PermitMisused, match="ran out"):
        contract.text_destination(ends, Channel.EMAIL, LATER)


def test_a_letter_goes_to_no_text_and_a_text_to_no_house() -> None:
    with pytest.raises(PermitMisused):
        contract.text_destination(permit(Channel.EMAIL, HOME, LATER), Channel.EMAIL, NOW)
    with pytest.raises(PermitMisused):
        contract.postal_destination(permit(Channel.MAIL, EMAIL, LATER), NOW)


@pytest.mark.parametrize(
    "strange", [f"{EMAIL}\r\nBcc: eve@else.example", f"{EMAIL}\n", "a b@c.example", f"{EMAIL}\x00", f"{EMAIL}\u2028"]
)
def test_an_address_that_could_end_a_header_is_rejected(strange: str) -> None:
    with pytest.raises(Rejected) as caught:
        contract.text_destination(permit(Channel.EMAIL, strange, LATER), Channel.EMAIL, NOW)

    assert str(caught.value) == "malformed_destination"


@pytest.mark.parametrize("failure", DeliveryFailed.__subclasses__())
def test_every_failure_tells_its_catcher_what_to_do_and_its_record_a_word(failure: type[DeliveryFailed]) -> None:
    failed = contract.Unavailable("http_429", None) if failure is contract.Unavailable else failure("http_429")

    assert (failed.code, str(failed)) == ("http_429", "http_429")
    assert failure.__doc__
