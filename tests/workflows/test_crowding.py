"""One number or address gets only so many messages, whosever it is; what is too much waits."""

from functools import partial

from sqlalchemy import select

from models.cases import Actor
from models.messages import Message, MessageStatus, Outcome
from policy.rules import DestinationLimit
from policy.vocabulary import Channel, Fate
from tests.installations import DAY, HOUR, MINUTE, SECOND, START, deliver_all, rows, sms_account, with_rules
from tests.workflows.racing import at_once
from workflows.delivery import claim, record_failed, record_sent
from workflows.installation import Installation
from workflows.opening import Opened, open_case
from workflows.receipts import Said, settle, take

OTHER_PHONE = "+12025550199"


def at_most(most: int, within: str) -> DestinationLimit:
    return DestinationLimit.model_validate({"most": most, "within": within})


def capped(installation: Installation, *limits: DestinationLimit) -> Installation:
    return with_rules(installation, Channel.SMS, to_one_destination=limits)


def opened(installation: Installation, ref: str, phone: str = "+12025550142") -> Opened:
    return open_case(installation, sms_account(installation, ref, phone=phone), actor=Actor.AGENT, now=START)


def texts_sent(installation: Installation, *cases: Opened) -> int:
    return sum(
        parcel.channel is Channel.SMS for case in cases for parcel in deliver_all(installation, case.owed, START)
    )


def test_a_number_that_many_accounts_share_gets_no_more_than_the_limit(installation: Installation) -> None:
    limited = capped(installation, at_most(2, "1h"))
    cases = [opened(limited, ref) for ref in ("A", "B", "C", "D")]
    assert texts_sent(limited, *cases) == 2


def test_another_number_is_not_concerned(installation: Installation) -> None:
    limited = capped(installation, at_most(1, "1h"))
    cases = [opened(limited, "A"), opened(limited, "B"), opened(limited, "C", OTHER_PHONE)]
    assert texts_sent(limited, *cases) == 2


def test_what_is_too_much_waits_until_there_is_room_and_is_not_spent(installation: Installation) -> None:
    limited = capped(installation, at_most(1, "1h"))
    texts_sent(limited, opened(limited, "A"))
    second = opened(limited, "B")
    assert texts_sent(limited, second) == 0
    (row,) = rows(limited, select(Message.__table__).where(Message.id == second.owed[0]))
    assert (row.status, row.attempts) == (MessageStatus.QUEUED, 0)
    assert START + HOUR <= row.due_at <= START + HOUR + 2 * SECOND
    assert claim(limited, second.owed[0], START + HOUR + 2 * SECOND) is not None


def test_the_longest_of_several_waits_counts(installation: Installation) -> None:
    limited = capped(installation, at_most(1, "1m"), at_most(2, "24h"))
    texts_sent(limited, opened(limited, "A"))
    second = opened(limited, "B")
    assert claim(limited, second.owed[0], START + MINUTE) is not None
    third = opened(limited, "C")
    assert claim(limited, third.owed[0], START + 2 * MINUTE) is None
    (row,) = rows(limited, select(Message.due_at).where(Message.id == third.owed[0]))
    assert START + DAY <= row.due_at <= START + DAY + 2 * SECOND


def test_the_shipped_policy_limits_texts_calls_and_letters_to_one_destination(installation: Installation) -> None:
    for channel in (Channel.SMS, Channel.VOICE, Channel.MAIL):
        assert installation.policy.channels[channel].to_one_destination
    cases = [opened(installation, f"A{number}") for number in range(9)]
    assert texts_sent(installation, *cases) == 6


def test_each_sending_of_one_message_counts(installation: Installation) -> None:
    limited = capped(installation, at_most(2, "1h"))
    case = opened(limited, "A")
    for minutes in range(2):
        now = START + minutes * MINUTE
        parcel = claim(limited, case.owed[0], now)
        assert parcel is not None
        record_sent(limited, parcel, "twilio", f"SM{minutes}", now)
        said = Said("twilio", f"event {minutes}", parcel.message_id, f"SM{minutes}", Fate.AGAIN, "undelivered", None)
        for receipt in take(limited, [said], now):
            settle(limited, receipt, now)
    assert claim(limited, opened(limited, "B").owed[0], START + 2 * MINUTE) is None


def test_a_message_in_doubt_counts_for_others_and_does_not_stand_in_its_own_way(installation: Installation) -> None:
    limited = capped(installation, at_most(1, "1h"))
    case = opened(limited, "A")
    parcel = claim(limited, case.owed[0], START)
    assert parcel is not None
    record_failed(limited, parcel, Outcome.UNKNOWN, "ReadTimeoutError", START)
    assert claim(limited, opened(limited, "B").owed[0], START + MINUTE) is None
    assert claim(limited, case.owed[0], START + MINUTE) is not None


def test_a_message_that_the_vendor_tells_of_though_its_answer_was_lost_counts(installation: Installation) -> None:
    limited = capped(installation, at_most(1, "1h"))
    case = opened(limited, "A")
    parcel = claim(limited, case.owed[0], START)
    assert parcel is not None
    record_failed(limited, parcel, Outcome.UNKNOWN, "ReadTimeoutError", START)
    told = Said("twilio", "event", parcel.message_id, "SM1", Fate.DELIVERED, "delivered", None)
    (receipt,) = take(limited, [told], START)
    settle(limited, receipt, START)
    assert claim(limited, opened(limited, "B").owed[0], START + MINUTE) is None


def test_what_never_reached_the_vendor_does_not_count(installation: Installation) -> None:
    limited = capped(installation, at_most(1, "1h"))
    case = opened(limited, "A")
    parcel = claim(limited, case.owed[0], START)
    assert parcel is not None
    record_failed(limited, parcel, Outcome.NOT_SENT, "NewConnectionError", START)
    assert claim(limited, case.owed[0], START + MINUTE) is not None


def test_workers_that_count_at_once_do_not_both_find_room(installation: Installation) -> None:
    limited = capped(installation, at_most(1, "1h"))
    ids = [opened(limited, ref).owed[0] for ref in ("A", "B", "C", "D")]
    parcels = at_once(*[partial(claim, limited, each, START) for each in ids])
    assert len([each for each in parcels if each]) == 1
