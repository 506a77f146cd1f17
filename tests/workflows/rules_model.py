"""The rules of a reset, written down a second time as plainly as possible: what the product is held against.

No database, no state machine, no shared code. The numbers are those of the shipped policy for an SMS customer in the
US, but for the wrong tries a case and an account may have, which are so low that stories reach them.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

OPEN = ("requested", "contact_verified", "passphrase_checked")
TRIES_PER_CODE, TRIES_PER_CASE, TRIES_PER_ACCOUNT = 5, 7, 9
SENDS_PER_HOUR, SENDS_PER_CASE = 3, 5
HOLD = {
    frozenset({"code", "passphrase"}): ("code and passphrase", timedelta()),
    frozenset({"code", "password"}): ("code and password sign-in", timedelta()),
    frozenset({"code"}): ("code alone", 24 * HOUR),
}

Result = tuple[str, str | None, int | None]
"""The case's state after a step, the problem, and the tries left."""


@dataclass
class Send:
    """A message with a code."""

    at: datetime
    case: int
    code: int
    due: datetime
    status: str = "queued"


@dataclass
class Code:
    """A challenge."""

    tries: int = 0
    taken_at: datetime | None = None
    ends: datetime | None = None


@dataclass
class Case:
    """A case and what happened to it."""

    expires: datetime
    code: int | None
    state: str = "requested"
    wrong: int = 0
    proofs: dict[str, datetime | None] = field(default_factory=dict)
    proof_set: str | None = None
    hold_until: datetime | None = None
    events: list[str] = field(default_factory=list)


@dataclass
class Rules:
    """One account."""

    has_passphrase: bool
    cases: list[Case] = field(default_factory=list)
    codes: list[Code] = field(default_factory=list)
    sends: list[Send] = field(default_factory=list)
    failures: int = 0
    disabled: bool = False
    enrolment_pending: bool = False

    @property
    def case(self) -> Case:
        return self.cases[-1]

    def open(self, now: datetime) -> str:
        if self.disabled:
            return "disabled"
        if self.cases:
            self._expire_if_due(now)
            if self.case.state in OPEN:
                self.case.events.append("asked_again")
                return "joined"
        due = self._next_send(now, new_case=True) or now
        self.cases.append(Case(expires=due + DAY, code=self._new_code(), events=["open"]))
        self._queue(due)
        return "opened"

    def deliver(self, now: datetime) -> None:
        for send in [send for send in self.sends if send.status == "queued" and send.due <= now]:
            case = self.cases[send.case]
            waits = case.state in OPEN and now < case.expires and case.code == send.code
            send.status = "sent" if waits else "cancelled"
            send.at = now
            if waits:
                self._take(case, send, now)

    def _take(self, case: Case, send: Send, now: datetime) -> None:
        code = self.codes[send.code]
        if self._is_worn_out(code, now):
            case.code = send.code = self._new_code()
            case.events.append("code_renewed")
            code = self.codes[send.code]
        if code.taken_at is None:
            code.taken_at, code.ends = now, now + 10 * MINUTE

    def type_code(self, now: datetime, *, right: bool) -> Result:
        if self._is_closed(now):
            return self._result("closed")
        case = self.case
        if case.code is None:
            return self._result("already_proven")
        code = self.codes[case.code]
        left = max(0, min(TRIES_PER_CODE - code.tries, TRIES_PER_CASE - case.wrong))
        if code.ends is None or code.ends <= now or left == 0:
            return self._result("no_valid_code")
        if not right:
            code.tries += 1
            return self._wrong("wrong_code", left - 1)
        case.code = None
        if case.state != "requested":
            case.events.append("contact_proven_again")
            return self._result(None)
        case.proofs["code"] = None
        self._move("verify_contact", "contact_verified")
        if not self.has_passphrase:
            self._move("check_passphrase", "passphrase_checked")
            self._settle(now)
        return self._result(None)

    def give_passphrase(self, now: datetime, *, right: bool) -> Result:
        self._expire_if_due(now)
        case = self.case
        if case.state not in OPEN:
            return self._result("closed")
        if not self.has_passphrase:
            return self._result("no_passphrase")
        if case.state == "requested":
            return self._result("code_first")
        if case.state == "passphrase_checked":
            return self._result("already_proven")
        if not right:
            return self._wrong("wrong_passphrase", TRIES_PER_CASE - case.wrong - 1)
        case.proofs["passphrase"] = None
        self._move("check_passphrase", "passphrase_checked")
        self._settle(now)
        return self._result(None)

    def attest_password(self, now: datetime) -> Result:
        self._expire_if_due(now)
        if self.case.state not in OPEN:
            return self._result("closed")
        self.case.proofs["password"] = now + 10 * MINUTE
        self.case.events.append("password_attested")
        self._settle(now)
        return self._result(None)

    def resend(self, now: datetime) -> Result:
        if self._is_closed(now):
            return self._result("closed")
        allowed = self._next_send(now)
        if allowed is None:
            return self._result("no_more_sends")
        if allowed > now:
            return self._result("too_soon")
        case = self.case
        if case.code is None or self._is_worn_out(self.codes[case.code], now):
            case.code = self._new_code()
        self._queue(now)
        case.events.append("code_queued_again")
        return self._result(None)

    def cancel(self, now: datetime) -> Result:
        self._expire_if_due(now)
        if self.case.state not in OPEN:
            return self._result("closed")
        self._move("cancel", "cancelled")
        return self._result(None)

    def sweep(self, now: datetime) -> None:
        self._expire_if_due(now)
        case = self.case
        if case.state in OPEN and case.hold_until is not None and case.hold_until <= now:
            self._complete()

    def _is_closed(self, now: datetime) -> bool:
        self._expire_if_due(now)
        return self.case.state not in OPEN

    def _is_worn_out(self, code: Code, now: datetime) -> bool:
        return code.tries >= TRIES_PER_CODE or (code.ends is not None and code.ends <= now)

    def _expire_if_due(self, now: datetime) -> None:
        if self.case.state in OPEN and self.case.expires <= now:
            self._move("expire", "expired")

    def _wrong(self, event: str, left: int) -> Result:
        self.case.wrong += 1
        self.failures += 1
        self.case.events.append(event)
        if self.failures >= TRIES_PER_ACCOUNT:
            self.disabled = True
        if self.disabled or self.case.wrong >= TRIES_PER_CASE:
            self._move("deny", "denied")
            return self._result("closed", left)
        return self._result(event, left)

    def _settle(self, now: datetime) -> None:
        case = self.case
        if case.state != "passphrase_checked":
            return
        fresh = {proof for proof, until in case.proofs.items() if until is None or now < until}
        met = [(hold, name) for proofs, (name, hold) in HOLD.items() if proofs <= fresh]
        hold, name = min(met)
        if case.hold_until is not None and now + hold >= case.hold_until:
            return
        case.proof_set, case.hold_until = name, now + hold
        case.expires = case.hold_until + 7 * DAY
        case.events.append("proofs_suffice")
        if not hold:
            self._complete()

    def _complete(self) -> None:
        self._move("complete", "completed")
        self.enrolment_pending, self.failures = True, 0

    def _move(self, event: str, state: str) -> None:
        self.case.state = state
        self.case.events.append(event)
        if state not in OPEN:
            self.case.code = None

    def _new_code(self) -> int:
        self.codes.append(Code())
        return len(self.codes) - 1

    def _queue(self, due: datetime) -> None:
        code = self.case.code
        assert code is not None
        self.sends.append(Send(due, len(self.cases) - 1, code, due))

    def _next_send(self, now: datetime, *, new_case: bool = False) -> datetime | None:
        counted = [send for send in self.sends if send.status != "cancelled"]
        here = len(self.cases) - 1
        if not new_case and sum(send.case == here for send in counted) >= SENDS_PER_CASE:
            return None
        times = sorted((send.at for send in counted), reverse=True)
        return max(now, times[SENDS_PER_HOUR - 1] + HOUR) if len(times) >= SENDS_PER_HOUR else now

    def _result(self, problem: str | None, left: int | None = None) -> Result:
        return self.case.state, problem, left
