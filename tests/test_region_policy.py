"""No message of a channel that the region forbids reaches a vendor, whichever door is tried.

Accounts of all sorts come through the import, the command line, or past both by hand in the database; their resets are
opened, asked for again on the page, and changed by hand before they are opened and before they are sent. What the
vendors' stand-ins took in the end is held against the rules, told once more in the simplest way.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from foundation import clock
from models.accounts import Account, ContactPoint
from models.base import new_id
from models.cases import Actor
from models.messages import Message, MessageStatus
from policy.vocabulary import ContactKind
from tasks.deliver import send_if_due
from tests.end_to_end.processes import keyturn
from tests.installations import by_hand, make_installation, rows
from tests.servers.lob import Lob
from tests.servers.sendgrid import SendGrid
from tests.servers.twilio import Twilio
from tests.web.browser import browser
from workflows.importing import NothingImported, import_accounts
from workflows.installation import Installation
from workflows.opening import open_case

AMERICAN = {"US", "PR", "GU", "VI", "AS", "MP", "UM"}
NUMBERS = {
    "+12025550142": True,  # Washington
    "+19075550142": True,  # Alaska
    "+17872345678": True,  # Puerto Rico
    "+14165550142": False,  # Toronto
    "+18764123456": False,  # Jamaica
    "+18092345678": False,  # the Dominican Republic
    "+18005550142": False,  # toll-free
    "+19002345678": False,  # premium rate
    "+4915123456789": False,
    "+447400123456": False,
}
STATES = {"VT": "05001", "AK": "99501", "PR": "00901", "AE": "09001"}
VERIFIED = "2024-03-02"

countries = st.sampled_from(["US", "PR", "GU", "CA", "JM", "DE", "GB"])
numbers = st.sampled_from(sorted(NUMBERS))
channels = st.sampled_from(["email", "sms", "voice", "mail", ""])
numbering = count()


@dataclass(frozen=True, slots=True)
class World:
    """An installation in live mode and its three vendors."""

    installation: Installation
    sendgrid: SendGrid
    twilio: Twilio
    lob: Lob

    def deliver_all(self) -> None:
        """Sends all that is due, and whatever that queues."""
        for _ in range(4):
            queued = select(Message.id).where(Message.status == MessageStatus.QUEUED)
            by_hand(self.installation, update(Message).values(due_at=clock.now()).where(Message.id.in_(queued)))
            for row in rows(self.installation, queued):
                send_if_due(self.installation, row.id)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("region")
    with ExitStack() as stack:
        sendgrid, twilio = stack.enter_context(SendGrid()), stack.enter_context(Twilio())
        lob = stack.enter_context(Lob())
        env = {**sendgrid.env, **twilio.env, **lob.env}
        fields: dict[str, Any] = {name.removeprefix("KEYTURN_").lower(): value for name, value in env.items()}
        policy = folder / "policy.toml"
        policy.write_text(without_caps())
        made = make_installation(f"sqlite:///{folder / 'keyturn.db'}", folder, policy_file=policy, **fields)
        yield World(made, sendgrid, twilio, lob)
        made.database.dispose()


def without_caps() -> str:
    """The shipped policy, but that one number may get any count of messages: here few numbers serve many accounts."""
    shipped = (Path(__file__).parents[1] / "policy" / "default.toml").read_text(encoding="utf-8")
    return "\n".join(line for line in shipped.splitlines() if not line.startswith("to_one_destination"))


def american() -> dict[str, str]:
    """A row of an import whose codes come as letters."""
    ref = f"A{next(numbering)}"
    return {
        "ref": ref,
        "name": ref,
        "country": "US",
        "primary_email": f"{ref.lower()}@primary.example",
        "primary_email_verified": VERIFIED,
        "two_factor_email": f"{ref.lower()}@factor.example",
        "two_factor_email_verified": VERIFIED,
        "phone": "+12025550142",
        "phone_verified": VERIFIED,
        "postal_line1": f"{ref} Mill Street",
        "postal_city": "Millbrook",
        "postal_state": "VT",
        "postal_zip": STATES["VT"],
        "postal_verified": VERIFIED,
        "preference": "mail",
        "backup": "",
    }


@st.composite
def account_rows(draw: st.DrawFn) -> dict[str, str]:
    """A row of an import, often one that the region forbids."""
    state = draw(st.sampled_from(sorted(STATES)))
    return american() | {
        "country": draw(countries),
        "two_factor_email_verified": draw(st.sampled_from([VERIFIED, VERIFIED, ""])),
        "phone": draw(numbers),
        "postal_state": state,
        "postal_zip": STATES[state],
        "preference": draw(channels),
        "backup": draw(channels),
    }


def imported(world: World, row: dict[str, str], *, past_the_import: bool) -> str:
    """The account's ref; where the import refuses its preference, that is written by hand if `past_the_import`."""
    wanted = {name: row[name] or None for name in ("preference", "backup")}
    try:
        import_accounts(world.installation, [row], clock.now())
    except NothingImported:
        import_accounts(world.installation, [row | {"preference": "", "backup": ""}], clock.now())
        if past_the_import:
            by_hand(world.installation, update(Account).where(Account.ref == row["ref"]).values(**wanted))
    return row["ref"]


WHAT = st.sampled_from(["nothing", "country", "number", "postal", "channel", "replaced", "region of the address"])
changes = st.tuples(WHAT, countries, numbers, channels)
NOTHING = ("nothing", "US", "+12025550142", "")


def change(world: World, account_id: UUID, changed: tuple[str, str, str, str]) -> None:
    """Somebody changes a row by hand."""
    what, country, number, channel = changed
    phone = (ContactPoint.account_id == account_id) & (ContactPoint.kind == ContactKind.PHONE)
    postal = (ContactPoint.account_id == account_id) & (ContactPoint.kind == ContactKind.POSTAL_ADDRESS)
    abroad = json.dumps(
        {"name": "A", "line1": "1 X", "line2": "", "city": "Y", "state": "VT", "zip": "05001", "country": country}
    )
    waiting = Message.status == MessageStatus.QUEUED
    statements: dict[str, Any] = {
        "nothing": None,
        "country": update(Account).where(Account.id == account_id).values(country=country),
        "number": update(ContactPoint).where(phone).values(value=number),
        "postal": update(ContactPoint).where(postal).values(value=abroad),
        "channel": update(Message).where(waiting).values(channel=channel or "sms"),
        "replaced": update(ContactPoint).where(phone).values(replaced_at=clock.now()),
        "region of the address": update(ContactPoint).where(postal).values(value=abroad, version=2),
    }
    if statements[what] is not None:
        by_hand(world.installation, statements[what])


@settings(max_examples=120)
@given(
    row=account_rows(),
    past_the_import=st.booleans(),
    before=st.one_of(st.just(NOTHING), changes),
    changed=changes,
    on_the_page=st.booleans(),
)
@example(american() | {"preference": "sms"}, False, NOTHING, NOTHING, True)
@example(american() | {"preference": "voice"}, False, NOTHING, NOTHING, True)
@example(american(), False, NOTHING, NOTHING, True)
@example(american(), False, ("postal", "DE", "+12025550142", ""), NOTHING, True)
def test_nothing_that_the_region_forbids_reaches_a_vendor(
    world: World,
    row: dict[str, str],
    past_the_import: bool,
    before: tuple[str, str, str, str],
    changed: tuple[str, str, str, str],
    on_the_page: bool,
) -> None:
    earlier = len(world.twilio.sent), len(world.twilio.calls), len(world.lob.letters)
    ref = imported(world, row, past_the_import=past_the_import)
    (account,) = rows(world.installation, select(Account.id).where(Account.ref == ref))
    change(world, account.id, before)
    opened = open_case(world.installation, ref, actor=Actor.AGENT, now=clock.now())
    change(world, account.id, changed)
    world.deliver_all()
    if on_the_page:
        with browser(world.installation) as client:
            client.post("/resend", data={"reference": opened.reference})
        world.deliver_all()

    (now,) = rows(world.installation, select(Account.country).where(Account.id == account.id))
    letters = world.lob.letters[earlier[2] :]
    texts, calls = world.twilio.sent[earlier[0] :], world.twilio.calls[earlier[1] :]
    for to in [text.to for text in texts] + [call.to for call in calls]:
        assert now.country in AMERICAN
        assert NUMBERS[to]
    if letters:
        # What Lob is told is always "US": what the account has on file is what counts.
        assert now.country in AMERICAN
        home = select(ContactPoint.value).where(
            ContactPoint.account_id == account.id,
            ContactPoint.kind == ContactKind.POSTAL_ADDRESS,
            ContactPoint.replaced_at.is_(None),
        )
        (stored,) = rows(world.installation, home)
        assert json.loads(stored.value)["country"] in AMERICAN


def test_the_stories_above_do_reach_each_vendor(world: World) -> None:
    assert world.sendgrid.sent
    assert world.twilio.sent
    assert world.twilio.calls
    assert world.lob.letters


FORBIDDEN = [
    ("DE", "+12025550142", "sms", "Outside the United States, resets go by e-mail only, to your 2-Factor Auth Email."),
    ("US", "+14165550142", "sms", "The phone number is not one of the United States."),
    ("US", "+18764123456", "voice", "The phone number is not one of the United States."),
    ("US", "+19002345678", "voice", "The phone number is a premium rate number."),
    ("US", "+18005550142", "sms", "The phone number is a toll-free number."),
    ("CA", "+14165550142", "mail", "Outside the United States, resets go by e-mail only, to your 2-Factor Auth Email."),
]


@pytest.mark.parametrize(("country", "number", "preference", "reason"), FORBIDDEN)
def test_a_preference_that_the_region_forbids_is_refused_with_the_reason(
    world: World, country: str, number: str, preference: str, reason: str
) -> None:
    row = {"ref": f"B{new_id()}", "name": "B", "country": country, "phone": number, "phone_verified": VERIFIED}
    postal = {"postal_line1": "1 X", "postal_city": "Y", "postal_state": "VT", "postal_zip": "05001"}
    row |= postal | {"postal_verified": VERIFIED, "preference": preference}
    with pytest.raises(NothingImported) as refused:
        import_accounts(world.installation, [row], clock.now())
    assert refused.value.faults == (f"row 1: preference: {preference} is not possible. {reason}",)


def test_the_command_line_refuses_it_too(tmp_path: Path) -> None:
    env = {"KEYTURN_DATA_DIR": str(tmp_path)}
    keyturn(env, "migrate")
    accounts = tmp_path / "accounts.csv"
    accounts.write_text("ref,name,country,phone,phone_verified,preference\nD-1,D,DE,+12025550142,2024-03-02,sms\n")
    with pytest.raises(AssertionError, match="sms is not possible"):
        keyturn(env, "account", "import", str(accounts))
