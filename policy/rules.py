"""The policy file: its shape, and how a wrong one is refused with the line and the reason.

`load(path)` answers with a frozen `Policy` or raises `BadPolicy`. The shipped file is `default.toml` beside this one.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import cache, reduce
from itertools import pairwise
from operator import getitem
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from policy.vocabulary import Channel, Finding, ProofKind

SHIPPED = Path(__file__).with_name("default.toml")

_LEAST_BEFORE_LEAVING = timedelta(minutes=10)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class BadPolicy(Exception):
    """The policy file cannot be used. Its text names the file, the line and the reason; mend that line."""


def _duration(value: object) -> timedelta:
    if value == "0":
        return timedelta()
    found = re.fullmatch(r"(\d{1,6})([smhd])", value) if isinstance(value, str) else None
    if not found:
        raise ValueError("must be a time such as 90s, 10m, 24h, 21d, or 0")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _lifetime(value: object) -> timedelta:
    if lifetime := _duration(value):
        return lifetime
    raise ValueError("must be longer than 0")


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Lifetime = Annotated[timedelta, BeforeValidator(_lifetime)]
Count = Annotated[int, Field(ge=1, le=1000, strict=True)]
Words = Annotated[str, Field(min_length=1, max_length=100)]  # as many as the case's columns hold
Country = Annotated[str, Field(pattern=r"^([A-Z]{2}(-[A-Z]{2})?|\*)$")]
State = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(_Table):
    """What wrong tries lead to, and how long things stay usable."""

    wrong_tries_per_case: Count
    wrong_tries_per_account: Annotated[Count, Field(le=100)]
    password_fresh_for: Duration
    complete_within: Lifetime
    answer_again_after: Duration


class Holds(_Table):
    """The least holds of cases whose code could not go where the customer chose, or where that was changed lately."""

    primary_email: Duration
    preference_not_allowed: Duration
    changed_by_billing: Duration


class Inbox(_Table):
    """What the support inbox does with mails. They are kept for a week at least, while answers may still be sent."""

    unauthenticated: Literal["open", "hold"]
    codes_by_mail: Annotated[bool, Field(strict=True)]
    most_a_day: Count
    kept_for: Annotated[Lifetime, Field(ge=timedelta(days=7))]


class SignIn(_Table):
    """What is asked at sign-in and in the settings pages, and what a reset grants."""

    user_verification: Literal["preferred", "required", "discouraged"]
    wrong_in_a_row: Annotated[Count, Field(le=100)]
    wrong_before_waiting: Count
    wrong_per_address: Count
    factor_fresh_for: Lifetime
    link_valid: Lifetime
    session_valid: Lifetime
    enrolment_valid: Lifetime
    quarantine: Duration


class SendLimit(_Table):
    """At most `most` sends `within` a time over all cases of the account, or in the whole case."""

    most: Count
    within: Lifetime | None = None


class DestinationLimit(_Table):
    """At most `most` messages of any kind `within` a time to one number or address, whosever it is."""

    most: Count
    within: Lifetime


class ChannelRules(_Table):
    """A channel's code and limits. Exactly one of `case_open` and `case_open_after_code` is given.

    `refuses` names what a contact point must not turn out to be; where it is empty no vendor is asked. A message
    leaves `leaves_after` the vendor took it, and its code's life begins then.
    """

    digits: Literal[8, 10]  # what foundation.redaction knows a code by
    code_valid: Lifetime
    code_valid_far: Lifetime | None = None
    far_states: tuple[State, ...] = ()
    case_open: Lifetime | None = None
    case_open_after_code: Duration | None = None
    tries: Count
    sends: tuple[SendLimit, ...]
    to_one_destination: tuple[DestinationLimit, ...] = ()
    refuses: frozenset[Finding] = frozenset()
    leaves_after: Duration = timedelta()

    @model_validator(mode="after")
    def _one_way_to_stay_open(self) -> Self:
        if (self.case_open is None) == (self.case_open_after_code is None):
            raise ValueError("give exactly one of case_open and case_open_after_code")
        if bool(self.far_states) != (self.code_valid_far is not None):
            raise ValueError("far_states and code_valid_far go together")
        if (self.case_open_after_code is not None) != (self.leaves_after >= _LEAST_BEFORE_LEAVING):
            raise ValueError("case_open_after_code and leaves_after, at least 10m, go together")
        return self

    def validity(self, state: str | None) -> timedelta:
        """How long a code to this US state (None elsewhere) is valid from the moment its message leaves."""
        return self.code_valid_far if self.code_valid_far and state in self.far_states else self.code_valid

    def open_until(self, now: datetime, state: str | None) -> datetime:
        """Until when a case that opens now takes proofs."""
        if self.case_open is not None:
            return now + self.case_open
        return now + self.leaves_after + self.validity(state) + (self.case_open_after_code or timedelta())

    def next_send(self, account_sends: Iterable[datetime], case_sends: int, now: datetime) -> datetime | None:
        """When the next send is allowed, now at the earliest; None where the case has had all of its sends."""
        times = sorted(account_sends, reverse=True)
        if any(limit.within is None and case_sends >= limit.most for limit in self.sends):
            return None
        return max([now, *_ends_of_waiting(self.sends, times)])


def _ends_of_waiting(limits: Iterable[SendLimit], newest_first: list[datetime]) -> Iterator[datetime]:
    for limit in limits:
        if limit.within is not None and len(newest_first) >= limit.most:
            yield newest_first[limit.most - 1] + limit.within


class ProofSet(_Table):
    """Proofs that together let a case complete, after a hold."""

    name: Words
    proofs: frozenset[ProofKind]
    hold: Duration
    remark: Words | None = None
    enabled: Annotated[bool, Field(strict=True)] = True

    @model_validator(mode="after")
    def _has_the_code(self) -> Self:
        if ProofKind.CODE not in self.proofs:
            raise ValueError("every set needs the code: nothing else proves the contact")
        return self


class Region(_Table):
    """Countries (`US`) and states (`US-AK`) with the same channels, and the reason that people are shown."""

    name: Words
    countries: frozenset[Country]
    channels: frozenset[Channel]
    reason: Annotated[str, Field(min_length=1)]

    def covers(self, country: str, state: str | None) -> bool:
        """Whether a customer of `country` (ISO 3166-1 alpha-2) and US `state` belongs to this region."""
        return bool(self.countries & {country, f"{country}-{state}", "*"})

    def is_of(self, country: str) -> bool:
        """Whether numbers and addresses of `country` can be those of this region's customers."""
        return bool({each[:2] for each in self.countries} & {country, "*"})


class Policy(_Table):
    """The whole policy."""

    limits: Limits
    holds: Holds
    inbox: Inbox
    sign_in: SignIn
    channels: dict[Channel, ChannelRules]
    proof_sets: tuple[ProofSet, ...]
    regions: tuple[Region, ...]

    @field_validator("channels")
    @classmethod
    def _no_channel_is_missing(cls, channels: dict[Channel, ChannelRules]) -> dict[Channel, ChannelRules]:
        if missing := set(Channel) - set(channels):
            raise ValueError(f"no [channels.{min(missing)}]")
        return channels

    @field_validator("channels")
    @classmethod
    def _letters_leave_later(cls, channels: dict[Channel, ChannelRules]) -> dict[Channel, ChannelRules]:
        # Retries of a letter carry its date, which must lie ahead, and until then it can be stopped.
        later = {channel for channel, each in channels.items() if each.leaves_after}
        if later != {Channel.MAIL}:
            raise ValueError("channels.mail, and no other, needs leaves_after")
        return channels

    @field_validator("proof_sets")
    @classmethod
    def _a_case_can_complete(cls, proof_sets: tuple[ProofSet, ...]) -> tuple[ProofSet, ...]:
        if not any(proof_set.enabled for proof_set in proof_sets):
            raise ValueError("no set of proofs is enabled, so no case could complete")
        return proof_sets

    @field_validator("regions")
    @classmethod
    def _no_country_is_missing(cls, regions: tuple[Region, ...]) -> tuple[Region, ...]:
        for_all = [region.countries for region in regions if "*" in region.countries]
        if for_all != [{"*"}] or "*" not in regions[-1].countries:
            raise ValueError('the last region, and no other, must be for all other countries: countries = ["*"]')
        return regions

    def region(self, country: str, state: str | None) -> Region:
        """The first region that covers `country` (ISO 3166-1 alpha-2) and US `state`."""
        return next(region for region in self.regions if region.covers(country, state))

    def sufficient(self, proofs: Iterable[ProofKind]) -> ProofSet | None:
        """Of the enabled sets that these proofs meet, the one with the shortest hold."""
        shown = frozenset(proofs)
        met = [each for each in self.proof_sets if each.enabled and each.proofs <= shown]
        return min(met, key=lambda each: each.hold, default=None)

    def longest_hold(self) -> timedelta:
        """The hold of a case that a supervisor had to help along."""
        sets = [each.hold for each in self.proof_sets if each.enabled]
        holds = self.holds
        return max(*sets, holds.primary_email, holds.preference_not_allowed, holds.changed_by_billing)


@cache
def load(path: Path = SHIPPED) -> Policy:
    """The policy in the file. Raises `BadPolicy`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadPolicy(f"{path}: cannot be read ({error.__class__.__name__})") from None
    try:
        return Policy.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadPolicy(f"{path}: line {_readings(text)[-1][0] + 1}: {error}") from None
    except ValidationError as error:
        raise BadPolicy("\n".join(f"{path}: {fault}" for fault in _faults(error, text))) from None


def _faults(error: ValidationError, text: str) -> Iterator[str]:
    readings = _readings(text)
    for fault in error.errors(include_url=False):
        name = ".".join(str(part) for part in fault["loc"])
        yield f"line {_line(fault['loc'], readings)}: {name}: {fault['msg'].removeprefix('Value error, ')}"


Place = tuple[int | str, ...]
Reading = tuple[int, dict[str, Any]]


def _readings(text: str) -> list[Reading]:
    """What the first n lines say, with n, for every n after which no value goes on.

    tomllib does not tell the line of a key, so it is asked line after line: whatever its syntax, a key begins after
    the last reading without it.
    """
    readings: list[Reading] = [(0, {})]
    lines = text.split("\n")
    for count in range(1, len(lines) + 1):
        try:
            readings.append((count, tomllib.loads("\n".join(lines[:count]))))
        except tomllib.TOMLDecodeError:
            continue
    return readings


def _line(place: Place, readings: list[Reading]) -> int:
    """The line on which `place` begins, or what is left of it where the file says nothing of its end."""
    whole = readings[-1][1]
    there = max((place[:depth] for depth in range(len(place) + 1) if _has(whole, place[:depth])), key=len)
    return next(count + 1 for (count, _), (_, reading) in pairwise(readings) if _has(reading, there))


def _has(reading: Any, place: Place) -> bool:
    try:
        reduce(getitem, place, reading)
    except (LookupError, TypeError):
        return False
    return True
