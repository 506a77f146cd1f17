"""How long a code is valid, how long a case stays open, when the next send is allowed; which proofs are enough."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from policy import rules
from policy.rules import ChannelRules, Policy, ProofSet, SendLimit
from policy.vocabulary import Channel, ProofKind

NOW = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
MICROSECOND, MINUTE = timedelta(microseconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MAIL, SMS, EMAIL = (rules.load().channels[channel] for channel in (Channel.MAIL, Channel.SMS, Channel.EMAIL))
CODE, PASSPHRASE, PASSWORD = ProofKind.CODE, ProofKind.PASSPHRASE, ProofKind.PASSWORD

RIGHT: dict[str, Any] = {"digits": 8, "code_valid": "10m", "case_open": "1d", "tries": 5, "sends": []}


# --- How long a code is valid


@pytest.mark.parametrize("state", ["AK", "HI", "PR", "GU", "VI", "AS", "MP", "UM", "AA", "AE", "AP"])
def test_a_letter_out_of_the_contiguous_united_states_has_30_days(state: str) -> None:
    assert MAIL.validity(state) == 30 * DAY
    assert MAIL.open_until(NOW, state) == NOW + HOUR + 35 * DAY


@pytest.mark.parametrize("state", ["VT", "CA", "WA", "FL", "DC", None, "ak"])
def test_a_letter_within_it_has_21_days(state: str | None) -> None:
    assert MAIL.validity(state) == 21 * DAY
    assert MAIL.open_until(NOW, state) == NOW + HOUR + 26 * DAY


@pytest.mark.parametrize("state", ["AK", "VT", None])
def test_the_state_makes_no_difference_to_other_channels(state: str | None) -> None:
    assert (SMS.validity(state), SMS.open_until(NOW, state)) == (10 * MINUTE, NOW + DAY)
    assert (EMAIL.validity(state), EMAIL.open_until(NOW, state)) == (DAY, NOW + 3 * DAY)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"far_states": ["AK"]}, "far_states and code_valid_far go together"),
        ({"code_valid_far": "30d"}, "far_states and code_valid_far go together"),
        ({"code_valid_far": "30d", "far_states": []}, "far_states and code_valid_far go together"),
        ({"case_open_after_code": "5d"}, "give exactly one of case_open and case_open_after_code"),
        ({"case_open": None}, "give exactly one of case_open and case_open_after_code"),
    ],
)
def test_keys_that_go_together_or_against_each_other(changes: dict[str, Any], reason: str) -> None:
    ChannelRules.model_validate(RIGHT)
    with pytest.raises(ValidationError, match=reason):
        ChannelRules.model_validate({**RIGHT, **changes})


# --- When the next send is allowed


def test_the_fourth_send_within_an_hour_waits_until_the_first_is_an_hour_old() -> None:
    first, second, third = NOW - 59 * MINUTE, NOW - 30 * MINUTE, NOW
    assert EMAIL.next_send([], 0, NOW) == NOW
    assert EMAIL.next_send([second, third], 2, NOW) == NOW
    assert EMAIL.next_send([first, second, third], 3, NOW) == first + HOUR
    assert EMAIL.next_send([first, second, third], 3, first + HOUR - MICROSECOND) == first + HOUR
    assert EMAIL.next_send([first, second, third], 3, first + HOUR) == first + HOUR
    assert EMAIL.next_send([first, second, third], 3, first + 2 * HOUR) == first + 2 * HOUR


def test_a_case_has_five_sends_and_sends_of_other_cases_do_not_count_for_that() -> None:
    old = [NOW - DAY] * 9
    assert EMAIL.next_send(old, 4, NOW) == NOW
    assert EMAIL.next_send(old, 5, NOW) is None
    assert EMAIL.next_send([], 5, NOW) is None


def test_a_letter_goes_once_a_day_and_four_times_in_thirty_days_over_all_cases() -> None:
    assert MAIL.next_send([NOW - DAY + MICROSECOND], 0, NOW) == NOW + MICROSECOND
    assert MAIL.next_send([NOW - DAY], 1, NOW) == NOW
    four = [NOW - 29 * DAY, NOW - 20 * DAY, NOW - 10 * DAY, NOW - 2 * DAY]
    assert MAIL.next_send(four[1:], 0, NOW) == NOW
    assert MAIL.next_send(four, 0, NOW) == NOW + DAY
    assert MAIL.next_send(four, 99, NOW) == NOW + DAY


limits = st.lists(
    st.builds(
        SendLimit.model_construct, most=st.integers(1, 4), within=st.sampled_from([MINUTE, HOUR, DAY]) | st.none()
    ),
    max_size=3,
)
minutes_ago = st.lists(st.integers(0, 2000).map(lambda minutes: NOW - minutes * MINUTE), max_size=8)


@given(limits, minutes_ago, st.integers(0, 5))
def test_the_next_send_is_the_first_moment_that_breaks_no_limit(
    sends: list[SendLimit], earlier: list[datetime], in_case: int
) -> None:
    def is_allowed(at: datetime) -> bool:
        return all(
            in_case < limit.most
            if limit.within is None
            else sum(at - limit.within < sent for sent in earlier) < limit.most
            for limit in sends
        )

    channel = ChannelRules.model_validate(RIGHT).model_copy(update={"sends": tuple(sends)})
    allowed = channel.next_send(iter(earlier), in_case, NOW)
    if allowed is None:
        assert any(limit.within is None and in_case >= limit.most for limit in sends)
    else:
        assert is_allowed(allowed)
        assert allowed == NOW or (allowed > NOW and not is_allowed(allowed - MICROSECOND))


# --- Which proofs are enough


def policy_with(*proof_sets: dict[str, Any]) -> Policy:
    """The shipped policy with these sets of proofs."""
    return rules.load().model_copy(update={"proof_sets": tuple(map(ProofSet.model_validate, proof_sets))})


def a_set(name: str, hold: str, *proofs: ProofKind, enabled: bool = True) -> dict[str, Any]:
    return {"name": name, "hold": hold, "proofs": list(proofs), "enabled": enabled}


@pytest.mark.parametrize(
    ("proofs", "name"),
    [
        ([], None),
        ([PASSPHRASE, PASSWORD], None),
        ([CODE], "code alone"),
        ([CODE, PASSPHRASE], "code and passphrase"),
        ([CODE, PASSWORD], "code and password sign-in"),
        ([CODE, CODE, PASSPHRASE, PASSWORD], "code and passphrase"),
    ],
)
def test_of_the_shipped_sets_the_one_with_the_shortest_hold_counts(proofs: list[ProofKind], name: str | None) -> None:
    found = rules.load().sufficient(proofs)
    assert (found and found.name) == name


def test_the_shortest_hold_counts_wherever_the_set_stands() -> None:
    for holds in (("2d", "1d", "3d"), ("1d", "2d", "3d"), ("3d", "2d", "1d")):
        policy = policy_with(*(a_set(hold, hold, CODE) for hold in holds))
        found = policy.sufficient({CODE})
        assert found is not None
        assert found.hold == DAY


def test_a_set_that_is_switched_off_never_counts() -> None:
    policy = policy_with(
        a_set("off", "0", CODE, enabled=False), a_set("both", "1d", CODE, PASSPHRASE), a_set("long", "90d", CODE)
    )
    found = policy.sufficient({CODE, PASSPHRASE})
    assert found is not None
    assert found.name == "both"
    assert policy_with(a_set("off", "0", CODE, enabled=False)).sufficient(ProofKind) is None


@given(st.data())
def test_sufficient_is_never_less_than_the_set_asks_for_nor_a_longer_hold_than_need_be(data: st.DataObject) -> None:
    proofs = st.sets(st.sampled_from(ProofKind)).map(lambda others: {CODE, *others})
    one = st.builds(a_set, st.just("x"), st.sampled_from(["0", "1h", "1d"]), enabled=st.booleans())
    drawn = [{**each, "proofs": data.draw(proofs)} for each in data.draw(st.lists(one, max_size=5))]
    shown = data.draw(st.sets(st.sampled_from(ProofKind)))
    met = [each for each in policy_with(*drawn).proof_sets if each.enabled and set(each.proofs).issubset(shown)]
    found = policy_with(*drawn).sufficient(shown)
    assert (found and found.hold) == min((each.hold for each in met), default=None)
    assert found is None or found in met


def test_the_longest_hold_is_the_longest_of_all_that_count() -> None:
    three = rules.load().holds.primary_email
    assert policy_with(a_set("a", "1h", CODE)).longest_hold() == three
    assert policy_with(a_set("a", "1h", CODE), a_set("b", "9d", CODE)).longest_hold() == 9 * DAY
    assert policy_with(a_set("a", "1h", CODE), a_set("b", "9d", CODE, enabled=False)).longest_hold() == three
