"""What a customer chooses for resets: the channel, the backup channel and the passphrase."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Connection, bindparam, update
from zxcvbn import zxcvbn

from models.accounts import Account
from models.cases import Actor
from policy.routing import NotAllowed, Profile, check_preference
from policy.rules import Policy
from policy.vocabulary import Change, Channel
from workflows import account_history
from workflows.accounts import LockedAccount
from workflows.changing import lock_for_settings
from workflows.installation import Installation
from workflows.passphrases import hash_passphrase, normalised
from workflows.portal import Visit
from workflows.telling import tell_change

SHORTEST_PASSPHRASE = 8
LONGEST_PASSPHRASE = 200
"""Characters."""
LEAST_SCORE = 2
"""Of zxcvbn's 0 to 4: fewer than 10^8 guesses would do, which its authors call somewhat guessable."""
# zxcvbn's time grows with the square of the length, and what stands behind this many characters is strong enough.
_LONGEST_LOOKED_AT = 72

_SET_PREFERENCE = (
    update(Account)
    .where(Account.id == bindparam("of"))
    .values(preference=bindparam("channel"), chosen_at=bindparam("now"))
)
_SET_BACKUP = (
    update(Account).where(Account.id == bindparam("of")).values(backup=bindparam("channel"), chosen_at=bindparam("now"))
)
_SET_PASSPHRASE = update(Account).where(Account.id == bindparam("of")).values(passphrase_hash=bindparam("hash"))


@dataclass(frozen=True, slots=True)
class Choice:
    """A channel in a menu; `why_not` is None where it can be chosen."""

    channel: Channel
    why_not: str | None


@dataclass(frozen=True, slots=True)
class Strength:
    """How strong a passphrase is: `score` from 0 to 4, and what would make it stronger."""

    score: int
    advice: tuple[str, ...]


class SameChannel(NotAllowed):
    """The backup channel is the preference itself. Choose another one, or none."""

    def __init__(self) -> None:
        super().__init__("The backup must be another channel than the preference.")


class BadPassphrase(Exception):
    """The passphrase cannot be set. Its text says why, for the customer; `strength` is None where it was too short."""

    def __init__(self, text: str, strength: Strength | None = None) -> None:
        super().__init__(text)
        self.strength = strength


def choices(policy: Policy, profile: Profile) -> list[Choice]:
    """Every channel, with the reason why it cannot be chosen where it cannot."""
    return [Choice(channel, _why_not(policy, profile, channel)) for channel in Channel]


def set_preference(
    installation: Installation, visit: Visit, channel: Channel | None, now: datetime
) -> tuple[UUID, ...]:
    """The channel that codes for resets take; None for no preference. Raises `NotNow` or `NotAllowed`.

    Ring for the answer's ids after.
    """
    with installation.database.begin() as connection:
        account = lock_for_settings(installation, connection, visit, now)
        if channel is account.preference:
            return ()
        if channel is not None:
            _require(installation, connection, account, channel, account.backup)
        connection.execute(_SET_PREFERENCE, {"of": account.id, "channel": channel, "now": now})
        return _changed(installation, connection, account, Change.PREFERENCE, now, channel=channel)


def set_backup(installation: Installation, visit: Visit, channel: Channel | None, now: datetime) -> tuple[UUID, ...]:
    """The channel that stands in where a code cannot reach the preferred one. Raises as `set_preference`."""
    with installation.database.begin() as connection:
        account = lock_for_settings(installation, connection, visit, now)
        if channel is account.backup:
            return ()
        if channel is not None:
            _require(installation, connection, account, channel, account.preference)
        connection.execute(_SET_BACKUP, {"of": account.id, "channel": channel, "now": now})
        return _changed(installation, connection, account, Change.BACKUP, now, channel=channel)


def set_passphrase(installation: Installation, visit: Visit, passphrase: str, now: datetime) -> tuple[UUID, ...]:
    """Sets or replaces the reset passphrase. Raises `NotNow` or `BadPassphrase`."""
    _require_strong(passphrase)
    # Some 20 ms of hashing, before the lock.
    hashed = hash_passphrase(passphrase)
    with installation.database.begin() as connection:
        account = lock_for_settings(installation, connection, visit, now)
        connection.execute(_SET_PASSPHRASE, {"of": account.id, "hash": hashed})
        return _changed(installation, connection, account, Change.PASSPHRASE, now, is_set=True)


def remove_passphrase(installation: Installation, visit: Visit, now: datetime) -> tuple[UUID, ...]:
    """Resets ask for no passphrase any more. Raises `NotNow`."""
    with installation.database.begin() as connection:
        account = lock_for_settings(installation, connection, visit, now)
        if account.passphrase_hash is None:
            return ()
        connection.execute(_SET_PASSPHRASE, {"of": account.id, "hash": None})
        return _changed(installation, connection, account, Change.PASSPHRASE, now, is_set=False)


def strength_of(passphrase: str) -> Strength:
    """How strong it is, by zxcvbn."""
    measured = zxcvbn(normalised(passphrase)[:_LONGEST_LOOKED_AT] or " ")
    feedback = cast("dict[str, str | list[str]]", measured["feedback"])
    advice = [feedback["warning"], *feedback["suggestions"]]
    return Strength(int(measured["score"]), tuple(str(each) for each in advice if each))


def _require_strong(passphrase: str) -> None:
    length = len(normalised(passphrase))
    if not SHORTEST_PASSPHRASE <= length <= LONGEST_PASSPHRASE:
        raise BadPassphrase(f"A passphrase has {SHORTEST_PASSPHRASE} to {LONGEST_PASSPHRASE} characters.")
    strength = strength_of(passphrase)
    if strength.score < LEAST_SCORE:
        raise BadPassphrase("This passphrase is too easy to guess.", strength)


def _require(
    installation: Installation,
    connection: Connection,
    account: LockedAccount,
    channel: Channel,
    other: Channel | None,
) -> None:
    if channel is other:
        raise SameChannel
    check_preference(installation.policy, account.profile(connection), channel)


def _why_not(policy: Policy, profile: Profile, channel: Channel) -> str | None:
    try:
        check_preference(policy, profile, channel)
    except NotAllowed as reason:
        return str(reason)
    return None


def _changed(
    installation: Installation,
    connection: Connection,
    account: LockedAccount,
    change: Change,
    now: datetime,
    **facts: str | bool | None,
) -> tuple[UUID, ...]:
    account_history.record(connection, account.id, f"{change}_changed", actor=Actor.CUSTOMER, now=now, **facts)
    return tell_change(installation, connection, account, change, now)
