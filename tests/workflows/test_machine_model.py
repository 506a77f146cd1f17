"""Random stories of one account, held step by step against the plain rules; and two sessions racing on PostgreSQL.

What is compared after every step: the answer, the case's row, its code's tries, the account, and every event's name.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select

from models.accounts import Account
from models.cases import IS_OPEN, Actor, CaseEvent, Challenge, ResetCase
from models.messages import Message, MessageStatus
from policy.vocabulary import Channel, MessageKind
from tests.installations import PASSPHRASE, START, make_installation, sms_account, with_limits, with_rules
from tests.servers.postgres import Postgres
from tests.workflows.rules_model import OPEN, TRIES_PER_ACCOUNT, TRIES_PER_CASE, Result, Rules
from workflows import closing, codes, delivery, history, proving, upkeep
from workflows.answers import Answer
from workflows.installation import Installation
from workflows.opening import ResetsDisabled, open_case

WRONG_CODE = "00000000"
# As often as they stand here: a story that is mostly right gets far enough for the mistakes to matter.
STEPS = (
    *["take_the_next_step"] * 5,
    *["deliver", "resend", "attest_password", "sweep", "wait_eleven_minutes", "type_three_wrong_codes"] * 2,
    *["open", "click_twice", "type_code", "type_a_spent_code", "give_passphrase", "give_a_wrong_passphrase"],
    *["cancel", "wait_an_hour", "wait_a_day", "wait_a_week"],
)
_refs = count()


@dataclass
class Product:
    """The same account in the real thing."""

    installation: Installation
    has_passphrase: bool
    ref: str = field(init=False)
    reference: str = ""
    code: str = WRONG_CODE
    spent_codes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ref = f"M{next(_refs)}"
        passphrase = {"passphrase": PASSPHRASE} if self.has_passphrase else {}
        sms_account(self.installation, self.ref, **passphrase)

    def open(self, now: datetime) -> str:
        try:
            opened = open_case(self.installation, self.ref, actor=Actor.AGENT, now=now)
        except ResetsDisabled:
            return "disabled"
        self.reference = opened.reference
        return "joined" if opened.joined else "opened"

    def deliver(self, now: datetime) -> None:
        """What a worker does with every message of the account that is due."""
        due = (
            select(Message.id)
            .join(ResetCase, ResetCase.id == Message.case_id)
            .join(Account, Account.id == ResetCase.account_id)
            .where(Account.ref == self.ref, Message.status == MessageStatus.QUEUED, Message.due_at <= now)
            .order_by(Message.created_at, Message.id)
        )
        with self.installation.database.read() as connection:
            ids = connection.execute(due).scalars().all()
        for message_id in ids:
            parcel = delivery.claim(self.installation, message_id, now)
            if parcel is not None:
                delivery.record_sent(self.installation, parcel, "sandbox", str(message_id), now)
                if parcel.kind is MessageKind.RESET_CODE and parcel.code:
                    self._learn(parcel.code)

    def _learn(self, code: str) -> None:
        if code != self.code:
            self.spent_codes.append(self.code)
        self.code = code

    def type_code(self, now: datetime, *, right: bool) -> Result:
        return self._type(self.code if right else WRONG_CODE, now)

    def type_spent_code(self, now: datetime) -> Result:
        return self._type(self.spent_codes[-1], now)

    def _type(self, code: str, now: datetime) -> Result:
        return _result(proving.prove_code(self.installation, self.reference, code, actor=Actor.CUSTOMER, now=now))

    def give_passphrase(self, now: datetime, *, right: bool) -> Result:
        passphrase = PASSPHRASE if right else "something else"
        return _result(
            proving.prove_passphrase(self.installation, self.reference, passphrase, actor=Actor.CUSTOMER, now=now)
        )

    def attest_password(self, now: datetime) -> Result:
        return _result(proving.attest_password(self.installation, self.reference, signed_in_at=now, now=now))

    def resend(self, now: datetime) -> Result:
        return _result(codes.resend(self.installation, self.reference, actor=Actor.CUSTOMER, now=now))

    def cancel(self, now: datetime) -> Result:
        return _result(closing.cancel(self.installation, self.reference, actor=Actor.CUSTOMER, now=now, how="a test"))

    def sweep(self, now: datetime) -> None:
        upkeep.sweep(self.installation, now)


def _result(answer: Answer) -> Result:
    return str(answer.state), answer.problem and str(answer.problem), answer.tries_left


def differences(rules: Rules, product: Product) -> list[str]:
    """Where the database is not as the rules say, in words."""
    with product.installation.database.read() as connection:
        account = connection.execute(select(Account).where(Account.ref == product.ref)).one()
        cases = connection.execute(
            select(ResetCase).where(ResetCase.account_id == account.id).order_by(ResetCase.opened_at, ResetCase.id)
        ).all()
        open_cases = connection.execute(
            select(func.count()).select_from(ResetCase).where(ResetCase.account_id == account.id, IS_OPEN)
        ).scalar_one()
        expected: list[Any] = [
            (rules.failures, rules.disabled, "enrolment_pending" if rules.enrolment_pending else "active"),
            sum(case.state in OPEN for case in rules.cases),
            len(rules.cases),
        ]
        found: list[Any] = [
            (account.wrong_in_a_row, account.resets_disabled_at is not None, str(account.status)),
            open_cases,
            len(cases),
        ]
        for case, row in zip(rules.cases, cases, strict=True):
            names = connection.execute(
                select(CaseEvent.event).where(CaseEvent.case_id == row.id).order_by(CaseEvent.seq)
            ).scalars()
            tries = connection.execute(
                select(Challenge.tries).where(
                    Challenge.case_id == row.id, Challenge.used_at.is_(None), Challenge.replaced_at.is_(None)
                )
            ).scalar_one_or_none()
            expected.append((case.state, case.wrong, case.proof_set, case.hold_until, case.expires, case.events))
            found.append((str(row.state), row.wrong_tries, row.proof_set, row.hold_until, row.expires_at, list(names)))
            expected.append(None if case.code is None else rules.codes[case.code].tries)
            found.append(tries)
    return [f"{one} is not {other}" for one, other in zip(found, expected, strict=True) if one != other]


@dataclass(frozen=True)
class Racing:
    """Two threads, each with a session of its own."""

    installation: Installation
    threads: ThreadPoolExecutor

    def at_once(self, product: Product, steps: list[Callable[[Any], Any]]) -> list[Any]:
        """Starts both steps at the same moment and waits for their answers."""
        both_ready = Barrier(2)

        def run(step: Callable[[Any], Any]) -> Any:
            both_ready.wait()
            return step(product)

        return list(self.threads.map(run, steps))


@pytest.fixture(scope="module")
def racing(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Racing]:
    with postgres.database() as url, ThreadPoolExecutor(2) as threads:
        installation = limited(make_installation(url, tmp_path_factory.mktemp("racing")))
        yield Racing(installation, threads)
        installation.database.dispose()


def _awaits_code(possible: list[Rules]) -> bool:
    code = possible[0].case.code
    return code is not None and possible[0].codes[code].taken_at is not None


def _explanations(possible: list[Rules], steps: list[Callable[[Any], Any]], answers: list[Any]) -> Iterator[Rules]:
    for before in possible:
        for order in ((0, 1), (1, 0)):
            rules = deepcopy(before)
            told = {which: steps[which](rules) for which in order}
            if [told[0], told[1]] == answers:
                yield rules


class Stories(RuleBasedStateMachine):
    """One account, its customer, an attacker, the schedule and the passing of time, in any order."""

    installation: Installation

    @initialize(has_passphrase=st.booleans())
    def begin(self, has_passphrase: bool) -> None:
        self.now = START
        self.plain = Rules(has_passphrase)
        self.product = Product(self.installation, has_passphrase)

    def both(self, step: Callable[[Any], Any]) -> None:
        # A moment passes with every step, as it does in life; and no two cases open at the same one.
        self.now += timedelta(seconds=1)
        assert step(self.product) == step(self.plain)

    @rule(step=st.sampled_from(STEPS))
    def go_on(self, step: str) -> None:
        # Before the first case there is nothing else to do; and a moment passes with every step, as it does in life.
        getattr(self, step if self.plain.cases else "open")()

    def open(self) -> None:
        self.both(lambda each: each.open(self.now))

    def deliver(self) -> None:
        self.both(lambda each: each.deliver(self.now))

    def take_the_next_step(self) -> None:
        """What a customer who makes no mistake does; so that stories get far."""
        if self.plain.case.state not in OPEN:
            self.open()
        elif self.plain.case.state == "contact_verified":
            self.give_passphrase()
        else:
            self.deliver()
            self.type_code()

    def type_code(self) -> None:
        code = self.plain.case.code
        right = code is not None and self.plain.codes[code].taken_at is not None
        self.both(lambda each: each.type_code(self.now, right=right))

    def click_twice(self) -> None:
        self.type_code()
        self.type_code()

    def type_three_wrong_codes(self) -> None:
        for _ in range(3):
            self.both(lambda each: each.type_code(self.now, right=False))

    def type_a_spent_code(self) -> None:
        if self.product.spent_codes:
            self.now += timedelta(seconds=1)
            assert self.product.type_spent_code(self.now) == self.plain.type_code(self.now, right=False)

    def give_passphrase(self) -> None:
        self.both(lambda each: each.give_passphrase(self.now, right=True))

    def give_a_wrong_passphrase(self) -> None:
        self.both(lambda each: each.give_passphrase(self.now, right=False))

    def attest_password(self) -> None:
        self.both(lambda each: each.attest_password(self.now))

    def resend(self) -> None:
        self.both(lambda each: each.resend(self.now))

    def cancel(self) -> None:
        self.both(lambda each: each.cancel(self.now))

    def sweep(self) -> None:
        self.both(lambda each: each.sweep(self.now))

    def wait_eleven_minutes(self) -> None:
        self.now += timedelta(minutes=11)

    def wait_an_hour(self) -> None:
        self.now += timedelta(hours=1)

    def wait_a_day(self) -> None:
        self.now += timedelta(hours=24)

    def wait_a_week(self) -> None:
        self.now += timedelta(days=7)

    @invariant()
    def product_keeps_to_the_rules(self) -> None:
        assert differences(self.plain, self.product) == []

    def teardown(self) -> None:
        with self.installation.database.read() as connection:
            assert list(history.broken_lines(connection)) == []


def limited(installation: Installation) -> Installation:
    """Under limits so low that stories reach them."""
    limited = with_limits(installation, wrong_tries_per_case=TRIES_PER_CASE, wrong_tries_per_account=TRIES_PER_ACCOUNT)
    return with_rules(limited, Channel.SMS, to_one_destination=())


def test_no_story_breaks_the_rules(database_url: str, tmp_path: Path) -> None:
    installation = limited(make_installation(database_url, tmp_path))
    stories = type("Stories", (Stories,), {"installation": installation})
    limits = settings(max_examples=150, stateful_step_count=40, deadline=None)
    run_state_machine_as_test(stories, settings=limits)
    installation.database.dispose()


ATOMIC = ("open", "type_code", "type_wrong_code", "give_passphrase", "attest_password", "resend", "cancel", "sweep")


def step_of(name: str, now: datetime, *, right: bool) -> Callable[[Any], Any]:
    """What one session does."""
    steps: dict[str, Callable[[Any], Any]] = {
        "type_code": lambda each: each.type_code(now, right=right),
        "type_wrong_code": lambda each: each.type_code(now, right=False),
        "give_passphrase": lambda each: each.give_passphrase(now, right=True),
    }
    return steps.get(name) or (lambda each: getattr(each, name)(now))


@given(
    has_passphrase=st.booleans(),
    pairs=st.lists(st.tuples(st.sampled_from(ATOMIC), st.sampled_from(ATOMIC), st.booleans()), min_size=1, max_size=8),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_two_sessions_at_once_end_as_if_one_had_come_first(
    racing: Racing, has_passphrase: bool, pairs: list[tuple[str, str, bool]]
) -> None:
    """Each pair runs in two threads at once; some order of the two must explain both answers and all rows."""
    now = START
    product, possible = Product(racing.installation, has_passphrase), [Rules(has_passphrase)]
    for step in ("open", "deliver"):
        for each in (product, *possible):
            getattr(each, step)(now)
    for one, other, with_right_code in pairs:
        now += timedelta(seconds=1)
        steps = [step_of(name, now, right=with_right_code and _awaits_code(possible)) for name in (one, other)]
        answers = racing.at_once(product, steps)
        possible = [rules for rules in _explanations(possible, steps, answers) if not differences(rules, product)]
        assert possible, f"no order of {one} and {other} explains {answers}"
