"""The history: every change writes a line, and whoever changes a line afterwards is found out."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import Executable, delete, insert, select, text, update

from models.cases import Actor, CaseEvent, CaseEventFacts, CaseState, ResetCase
from tests.installations import (
    DAY,
    HOUR,
    MINUTE,
    PASSPHRASE,
    START,
    Started,
    by_hand,
    email_account,
    rows,
    start_case,
    wrong,
)
from workflows.closing import cancel
from workflows.history import Broken, Entry, broken_lines, write_line
from workflows.installation import Installation
from workflows.proving import prove_code, prove_link
from workflows.upkeep import sweep
from workflows.views import case_with_history

GUARDED = {
    "case_event": ("no_update", "no_delete", "no_replace", "no_truncate"),
    "case_event_facts": ("no_update", "no_replace"),
}


def broken(installation: Installation) -> list[Broken]:
    with installation.database.read() as connection:
        return list(broken_lines(connection))


def without_triggers(installation: Installation) -> None:
    """Takes the guards off, as somebody who owns the database could."""
    on = "" if installation.database.engine.dialect.name == "sqlite" else " ON {table}"
    statement = "DROP TRIGGER IF EXISTS {table}_{name}" + on
    drops = [text(statement.format(table=table, name=name)) for table, names in GUARDED.items() for name in names]
    by_hand(installation, *drops)


def with_five_lines(installation: Installation) -> Started:
    """A case whose history is open, wrong_code, verify_contact, check_passphrase, proofs_suffice."""
    case = start_case(installation, email_account(installation))
    prove_code(installation, case.reference, wrong(case.code), actor=Actor.CUSTOMER, now=START + MINUTE)
    prove_link(installation, case.reference, case.token, now=START + HOUR)
    _, events, _ = case_with_history(installation, case.reference)
    assert [line.seq for line in events] == [1, 2, 3, 4, 5]
    return case


def test_a_whole_history_verifies(installation: Installation) -> None:
    case = with_five_lines(installation)
    cancelled = start_case(installation, email_account(installation, "HANNA", passphrase=PASSPHRASE))
    cancel(installation, cancelled.reference, actor=Actor.AGENT, now=START + HOUR, how="by telephone")
    assert broken(installation) == []
    sweep(installation, START + HOUR + DAY)
    _, events, _ = case_with_history(installation, case.reference)
    assert events[-1].event == "complete"
    start_case(installation, email_account(installation, "LATE"), START + timedelta(microseconds=1))
    sweep(installation, START + 30 * DAY)
    assert broken(installation) == []


def test_every_line_begins_where_the_line_before_ended(installation: Installation) -> None:
    case = with_five_lines(installation)
    _, events, _ = case_with_history(installation, case.reference)
    assert [(line.from_state, line.to_state) for line in events] == [
        (None, CaseState.REQUESTED),
        (CaseState.REQUESTED, CaseState.REQUESTED),
        (CaseState.REQUESTED, CaseState.CONTACT_VERIFIED),
        (CaseState.CONTACT_VERIFIED, CaseState.PASSPHRASE_CHECKED),
        (CaseState.PASSPHRASE_CHECKED, CaseState.PASSPHRASE_CHECKED),
    ]


FIELDS: Mapping[str, object] = {
    "event": "resend",
    "actor": Actor.SUPERVISOR,
    "at": START + 2 * MINUTE,
    "facts_digest": bytes(32),
    "hash": bytes(32),
}


@pytest.mark.parametrize("field", FIELDS)
def test_a_changed_field_is_found_in_its_line(installation: Installation, field: str) -> None:
    case = with_five_lines(installation)
    without_triggers(installation)
    by_hand(installation, update(CaseEvent).where(CaseEvent.seq == 2).values({field: FIELDS[field]}))
    (found,) = broken(installation)
    assert (found.reference, found.seq) == (case.reference, 2)


LINE_2, FACTS_2 = CaseEvent.seq == 2, CaseEventFacts.seq == 2
TAMPERED: dict[str, tuple[list[Executable], int, str]] = {
    "a state that was moved": (
        [update(CaseEvent).where(LINE_2).values(from_state=CaseState.CONTACT_VERIFIED)],
        2,
        "it begins at contact_verified, the line before ended at requested",
    ),
    "a state that a line led to": (
        [update(CaseEvent).where(CaseEvent.seq == 3).values(to_state=CaseState.DENIED)],
        3,
        "it was changed, or the line before it was",
    ),
    "facts that were edited": (
        [update(CaseEventFacts).where(FACTS_2).values(facts='{"tries_left": 5}')],
        2,
        "its facts were changed",
    ),
    "a salt that was exchanged": (
        [update(CaseEventFacts).where(FACTS_2).values(salt=bytes(16))],
        2,
        "its facts were changed",
    ),
    "a middle line that was deleted": (
        [delete(CaseEventFacts).where(FACTS_2), delete(CaseEvent).where(LINE_2)],
        2,
        "the line is missing",
    ),
    "the first line that was deleted": (
        [delete(CaseEventFacts).where(CaseEventFacts.seq == 1), delete(CaseEvent).where(CaseEvent.seq == 1)],
        1,
        "the line is missing",
    ),
    "the last line that was deleted": (
        [delete(CaseEventFacts).where(CaseEventFacts.seq == 5), delete(CaseEvent).where(CaseEvent.seq == 5)],
        5,
        "lines are missing at the end",
    ),
    "all lines that were deleted": ([delete(CaseEventFacts), delete(CaseEvent)], 1, "lines are missing at the end"),
    "the state of the case": (
        [update(ResetCase).values(state=CaseState.COMPLETED)],
        5,
        "the case says completed, its history passphrase_checked",
    ),
    "the end of the chain in the case": ([update(ResetCase).values(head=bytes(32))], 6, "lines are missing at the end"),
    "the number of lines in the case": ([update(ResetCase).values(seq=4)], 6, "lines are missing at the end"),
}


@pytest.mark.parametrize(("statements", "seq", "fault"), TAMPERED.values(), ids=TAMPERED)
def test_whoever_tampers_is_found_out_and_the_first_broken_line_is_named(
    installation: Installation, statements: list[Executable], seq: int, fault: str
) -> None:
    case = with_five_lines(installation)
    without_triggers(installation)
    by_hand(installation, *statements)
    assert broken(installation) == [Broken(case.reference, seq, fault)]


def test_two_lines_that_changed_places_are_found_out(installation: Installation) -> None:
    case = with_five_lines(installation)
    without_triggers(installation)
    by_hand(
        installation,
        delete(CaseEventFacts),
        *(update(CaseEvent).where(CaseEvent.seq == old).values(seq=new) for old, new in ((1, 9), (2, 1), (9, 2))),
    )
    (found,) = broken(installation)
    assert (found.reference, found.seq) == (case.reference, 1)


def test_a_line_that_was_copied_from_another_case_is_found_out(installation: Installation) -> None:
    case = with_five_lines(installation)
    other = start_case(installation, email_account(installation, "HANNA"))
    cancel(installation, other.reference, actor=Actor.CUSTOMER, now=START + HOUR, how="stop link")
    (foreign,) = rows(installation, select(CaseEvent.__table__).where(CaseEvent.case_id == other.id, LINE_2))
    without_triggers(installation)
    mine = CaseEvent.case_id == case.id
    by_hand(
        installation,
        delete(CaseEventFacts).where(CaseEventFacts.case_id == case.id),
        delete(CaseEvent).where(mine, CaseEvent.seq > 1),
        insert(CaseEvent).values(foreign._asdict() | {"case_id": case.id}),
        update(ResetCase).where(ResetCase.id == case.id).values(seq=2, head=foreign.hash, state=CaseState.CANCELLED),
    )
    assert broken(installation) == [Broken(case.reference, 2, "it was changed, or the line before it was")]


def test_a_whole_history_that_was_copied_from_another_case_is_found_out(installation: Installation) -> None:
    mine, other = (start_case(installation, email_account(installation, ref)) for ref in ("JONAS", "HANNA"))
    (foreign,) = rows(installation, select(CaseEvent.__table__).where(CaseEvent.case_id == other.id))
    without_triggers(installation)
    by_hand(
        installation,
        delete(CaseEventFacts).where(CaseEventFacts.case_id == mine.id),
        delete(CaseEvent).where(CaseEvent.case_id == mine.id),
        insert(CaseEvent).values(foreign._asdict() | {"case_id": mine.id}),
        update(ResetCase).where(ResetCase.id == mine.id).values(head=foreign.hash),
    )
    assert broken(installation) == [Broken(mine.reference, 1, "it was changed, or the line before it was")]


def test_a_line_that_was_forged_with_a_fitting_hash_breaks_the_next_one(installation: Installation) -> None:
    case = with_five_lines(installation)
    first, second = rows(installation, select(CaseEvent.__table__).where(CaseEvent.seq <= 2).order_by(CaseEvent.seq))
    entry = Entry(case.id, 2, second.event, second.from_state, second.to_state, Actor.SUPERVISOR, second.at)
    forged = write_line(first.hash, entry, {"tries_left": 5})
    without_triggers(installation)
    by_hand(
        installation,
        update(CaseEvent).where(LINE_2).values(forged.event_row()),
        update(CaseEventFacts).where(FACTS_2).values(forged.facts_row()),
    )
    assert broken(installation) == [Broken(case.reference, 3, "it was changed, or the line before it was")]


def test_only_the_broken_case_is_named(installation: Installation) -> None:
    case = with_five_lines(installation)
    start_case(installation, email_account(installation, "HANNA"))
    by_hand(installation, update(ResetCase).where(ResetCase.id == case.id).values(state=CaseState.COMPLETED))
    assert [each.reference for each in broken(installation)] == [case.reference]


def test_a_history_whose_facts_were_erased_still_verifies(installation: Installation) -> None:
    case = with_five_lines(installation)
    by_hand(installation, delete(CaseEventFacts).where(CaseEventFacts.seq < 5))
    assert broken(installation) == []
    _, events, _ = case_with_history(installation, case.reference)
    assert [line.facts is None for line in events] == [True, True, True, True, False]


def test_the_same_facts_have_another_digest_in_each_line(installation: Installation) -> None:
    for ref in ("JONAS", "HANNA"):
        start_case(installation, email_account(installation, ref))
    lines = rows(
        installation, select(CaseEvent.facts_digest, CaseEventFacts.salt, CaseEventFacts.facts).join(CaseEventFacts)
    )
    assert len({line.facts for line in lines}) == 1
    assert len({line.facts_digest for line in lines}) == len({line.salt for line in lines}) == 2
    assert {len(line.salt) for line in lines} == {16}
