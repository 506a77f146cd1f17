"""The policy file: its shape, and how a wrong one is refused with the line and the reason.

`load(path)` answers with a frozen `Policy` or raises `BadPolicy`. The shipped file is `default.toml` beside this one.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from policy.vocabulary import Channel, ProofKind

SHIPPED = Path(__file__).with_name("default.toml")

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


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Count = Annotated[int, Field(ge=1, le=1000)]
Country = Annotated[str, Field(pattern=r"^([A-Z]{2}|\*)$")]
State = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(_Table):
    """What wrong tries lead to, and how long things stay usable."""

    wrong_tries_per_case: Count
    wrong_tries_per_account: Annotated[int, Field(ge=1, le=100)]
    password_fresh_for: Duration
    complete_within: Duration
    answer_again_after: Duration


class Holds(_Table):
    """The least holds of cases whose code could not go where the customer chose."""

    primary_email: Duration
    preference_not_allowed: Duration


class SendLimit(_Table):
    """At most `most` sends `within` a time over all cases of the account, or in the whole case."""

    most: Count
    within: Duration | None = None


class ChannelRules(_Table):
    """A channel's code and limits. Exactly one of `case_open` and `case_open_after_code` is given."""

    digits: Annotated[int, Field(ge=6, le=10)]
    code_valid: Duration
    code_valid_far: Duration | None = None
    far_states: tuple[State, ...] = ()
    case_open: Duration | None = None
    case_open_after_code: Duration | None = None
    tries: Count
    sends: tuple[SendLimit, ...]

    @model_validator(mode="after")
    def _one_way_to_stay_open(self) -> Self:
        if (self.case_open is None) == (self.case_open_after_code is None):
            raise ValueError("give exactly one of case_open and case_open_after_code")
        if bool(self.far_states) != (self.code_valid_far is not None):
            raise ValueError("far_states and code_valid_far go together")
        return self

    def validity(self, state: str | None) -> timedelta:
        """How long a code to this US state (None elsewhere) is valid from the moment the vendor takes it."""
        far = self.code_valid_far is not None and state in self.far_states
        return self.code_valid_far if far and self.code_valid_far else self.code_valid

    def open_until(self, now: datetime, state: str | None) -> datetime:
        """Until when a case that opens now takes proofs."""
        if self.case_open is not None:
            return now + self.case_open
        return now + self.validity(state) + (self.case_open_after_code or timedelta())

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

    name: str
    proofs: frozenset[ProofKind]
    hold: Duration
    remark: str | None = None
    enabled: bool = True

    @model_validator(mode="after")
    def _has_the_code(self) -> Self:
        if ProofKind.CODE not in self.proofs:
            raise ValueError("every set needs the code: nothing else proves the contact")
        return self


class Region(_Table):
    """Countries with the same channels, and the reason that people are shown."""

    name: str
    countries: frozenset[Country]
    channels: frozenset[Channel]
    reason: str

    def covers(self, country: str) -> bool:
        """Whether `country` (ISO 3166-1 alpha-2) belongs to this region."""
        return bool(self.countries & {country, "*"})


class Policy(_Table):
    """The whole policy."""

    limits: Limits
    holds: Holds
    channels: dict[Channel, ChannelRules]
    proof_sets: tuple[ProofSet, ...]
    regions: tuple[Region, ...]

    @model_validator(mode="after")
    def _leaves_no_gap(self) -> Self:
        if missing := set(Channel) - set(self.channels):
            raise ValueError(f"no [channels.{min(missing)}]")
        if not any(region.countries == {"*"} for region in self.regions[-1:]):
            raise ValueError('the last region must be for all other countries: countries = ["*"]')
        if not any(proof_set.enabled for proof_set in self.proof_sets):
            raise ValueError("no set of proofs is enabled, so no case could complete")
        return self

    def region(self, country: str) -> Region:
        """The region that `country` (ISO 3166-1 alpha-2) belongs to."""
        return next(region for region in self.regions if region.covers(country))

    def sufficient(self, proofs: Iterable[ProofKind]) -> ProofSet | None:
        """Of the enabled sets that these proofs meet, the one with the shortest hold."""
        shown = frozenset(proofs)
        met = [each for each in self.proof_sets if each.enabled and each.proofs <= shown]
        return min(met, key=lambda each: each.hold, default=None)

    def longest_hold(self) -> timedelta:
        """The hold of a case that a supervisor had to help along."""
        sets = [each.hold for each in self.proof_sets if each.enabled]
        return max(*sets, self.holds.primary_email, self.holds.preference_not_allowed)


@cache
def load(path: Path = SHIPPED) -> Policy:
    """The policy in the file. Raises `BadPolicy`."""
    try:
        text = path.read_text(encoding="utf-8")
        return Policy.model_validate(tomllib.loads(text))
    except (OSError, UnicodeDecodeError) as error:
        raise BadPolicy(f"{path}: cannot be read ({error.__class__.__name__})") from None
    except tomllib.TOMLDecodeError as error:
        raise BadPolicy(f"{path}: {error}") from None
    except ValidationError as error:
        raise BadPolicy("\n".join(f"{path}: {fault}" for fault in _faults(error, text))) from None


def _faults(error: ValidationError, text: str) -> Iterator[str]:
    lines = _lines(text)
    for fault in error.errors(include_url=False):
        where = fault["loc"]
        known = next((lines[where[:n]] for n in range(len(where), 0, -1) if where[:n] in lines), 1)
        name = ".".join(str(part) for part in where)
        yield f"line {known}: {name + ': ' if name else ''}{fault['msg'].removeprefix('Value error, ')}"


_HEADER = re.compile(r"\s*\[(\[?)([\w.]+)\]")
_KEY = re.compile(r"\s*(\w+)\s*=")


def _lines(text: str) -> dict[tuple[int | str, ...], int]:
    """The line on which each table and key of a TOML text begins; tomllib does not tell."""
    found: dict[tuple[int | str, ...], int] = {}
    table: tuple[int | str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = tuple(header[2].split("."))
            if header[1]:
                table = (*table, sum(1 for path in found if path[:-1] == table and isinstance(path[-1], int)))
            found[table] = number
        elif key := _KEY.match(line):
            found[*table, key[1]] = number
    return found
