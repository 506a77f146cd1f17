"""A thread's token: made by nobody else, for no other message, and known in whatever case it comes back."""

from uuid import uuid4

import pytest

from workflows.installation import Installation
from workflows.threads import message_of, token_of


def test_a_token_leads_to_its_message_in_either_case(installation: Installation) -> None:
    message_id = uuid4()
    token = token_of(installation, message_id)
    assert len(token) == 42
    assert message_of(installation, token) == message_of(installation, token.upper()) == message_id


def test_a_token_of_another_message_or_changed_in_one_place_leads_nowhere(installation: Installation) -> None:
    one, other = (token_of(installation, uuid4()) for _ in range(2))
    assert message_of(installation, one[:26] + other[26:]) is None
    for place in range(41):  # the last letter has bits to spare
        changed = "a" if one[place] != "a" else "b"
        assert message_of(installation, one[:place] + changed + one[place + 1 :]) is None


@pytest.mark.parametrize("token", ["", "a", "a" * 26, "a" * 41, "a" * 43, "1" * 42, "ä" * 42, "a" * 400])
def test_what_is_no_token_leads_nowhere(installation: Installation, token: str) -> None:
    assert message_of(installation, token) is None
