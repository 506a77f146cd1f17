"""The rows of apps; and a time step that eight take at once and one gets."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from authenticators import totp
from authenticators.revoking import revoke_all
from authenticators.totp import App
from foundation.keyring import WrongPlace
from models.accounts import Account
from models.base import AnyRow, new_id
from models.factors import Algorithm, Authenticator, AuthenticatorKind, TotpApp
from tests.installations import (
    HOUR,
    MINUTE,
    SECOND,
    START,
    TOTP_SECRET,
    by_hand,
    email_account,
    make_installation,
    rows,
)
from tests.workflows.racing import at_once
from workflows.installation import Installation

APP = App(TOTP_SECRET)
BARE = "JBSWY3DPEHPK3PXP"


def account_of(installation: Installation) -> UUID:
    email_account(installation)
    (row,) = rows(installation, select(Account.id))
    return UUID(str(row.id))


def added(
    installation: Installation, account_id: UUID, app: App = APP, now: datetime = START, last: int | None = None
) -> UUID:
    with installation.database.begin() as connection:
        return totp.add(connection, installation.keyring, account_id, app, label="Phone", now=now, last_step=last)


def enrolled(installation: Installation, account_id: UUID) -> list[totp.Enrolled]:
    with installation.database.read() as connection:
        return totp.enrolled(connection, installation.keyring, account_id)


def take(installation: Installation, authenticator_id: UUID, step: int, now: datetime = START) -> bool:
    with installation.database.begin() as connection:
        return totp.take_step(connection, authenticator_id, step, now)


def state_of(installation: Installation, authenticator_id: UUID) -> AnyRow:
    statement = select(TotpApp.last_step, Authenticator.last_used_at).join(
        Authenticator, Authenticator.id == TotpApp.authenticator_id
    )
    (row,) = rows(installation, statement.where(TotpApp.authenticator_id == authenticator_id))
    return row


def test_apps_come_back_as_they_were_added_oldest_first(installation: Installation) -> None:
    account_id, other = account_of(installation), App(BARE, Algorithm.SHA512, 8, 60)
    second = added(installation, account_id, other, START + HOUR, last=7)
    first = added(installation, account_id, APP, START)
    assert enrolled(installation, account_id) == [
        totp.Enrolled(first, "Phone", APP, None, suspended=False),
        totp.Enrolled(second, "Phone", other, 7, suspended=False),
    ]
    assert enrolled(installation, new_id()) == []


def test_a_secret_is_sealed_to_its_row(installation: Installation) -> None:
    account_id = account_of(installation)
    first, second = added(installation, account_id), added(installation, account_id, App(BARE))
    stored = {row.id: row for row in rows(installation, select(Authenticator.__table__))}
    assert {row.kind for row in stored.values()} == {AuthenticatorKind.TOTP}
    assert not [row for row in stored.values() if TOTP_SECRET in row.sealed_secret or BARE in row.sealed_secret]
    moved = Authenticator.__table__.update().where(Authenticator.id == second)  # type: ignore[attr-defined]
    by_hand(installation, moved.values(sealed_secret=stored[first].sealed_secret))
    with pytest.raises(WrongPlace):
        enrolled(installation, account_id)


def test_an_id_that_was_made_before_is_kept(installation: Installation) -> None:
    account_id, chosen = account_of(installation), new_id()
    with installation.database.begin() as connection:
        given_back = totp.add(
            connection, installation.keyring, account_id, APP, label="Key", now=START, authenticator_id=chosen
        )
    assert [given_back, *(each.id for each in enrolled(installation, account_id))] == [chosen, chosen]


def test_a_suspended_app_says_so_and_a_revoked_one_is_gone(installation: Installation) -> None:
    account_id = account_of(installation)
    added(installation, account_id)
    suspend = Authenticator.__table__.update().values(suspended_at=START)  # type: ignore[attr-defined]
    by_hand(installation, suspend)
    assert [each.suspended for each in enrolled(installation, account_id)] == [True]
    with installation.database.begin() as connection:
        revoke_all(connection, account_id, START)
    assert enrolled(installation, account_id) == []


def test_a_step_is_taken_once_and_none_before_it_afterwards(installation: Installation) -> None:
    account_id = account_of(installation)
    used, other = added(installation, account_id), added(installation, account_id)
    tries = ((100, True), (100, False), (99, False), (101, True), (103, True), (102, False))
    for minutes, (step, taken) in enumerate(tries):
        assert take(installation, used, step, START + minutes * MINUTE) is taken
    assert tuple(state_of(installation, used)) == (103, START + 4 * MINUTE)
    assert tuple(state_of(installation, other)) == (None, None)


def test_a_step_after_the_one_that_proved_the_app_can_be_taken(installation: Installation) -> None:
    authenticator_id = added(installation, account_of(installation), last=100)
    assert [take(installation, authenticator_id, step) for step in (99, 100, 101)] == [False, False, True]


def test_no_step_of_a_revoked_app_can_be_taken(installation: Installation) -> None:
    account_id = account_of(installation)
    authenticator_id = added(installation, account_id)
    with installation.database.begin() as connection:
        revoke_all(connection, account_id, START)
    assert not take(installation, authenticator_id, 100)
    assert state_of(installation, authenticator_id).last_used_at is None


def test_of_eight_that_take_a_step_at_once_one_gets_it(installation: Installation) -> None:
    authenticator_id = added(installation, account_of(installation))
    for step in range(100, 110):
        done = at_once(*[lambda step=step: take(installation, authenticator_id, step)] * 8)
        assert sorted(done) == [False] * 7 + [True]
        assert state_of(installation, authenticator_id).last_step == step


def test_of_eight_that_take_different_steps_at_once_the_latest_gets_its_own(installation: Installation) -> None:
    authenticator_id = added(installation, account_of(installation))
    for first in range(100, 200, 10):
        steps = range(first, first + 8)
        at_once(*[lambda step=step: take(installation, authenticator_id, step) for step in steps])
        assert state_of(installation, authenticator_id).last_step == steps[-1]


def test_who_waits_for_another_that_has_taken_the_step_does_not_get_it(installation: Installation) -> None:
    authenticator_id = added(installation, account_of(installation))
    with ThreadPoolExecutor(1) as thread:
        with installation.database.begin() as connection:
            assert totp.take_step(connection, authenticator_id, 100, START)
            waiting = thread.submit(take, installation, authenticator_id, 100)
        assert waiting.result() is False


@pytest.fixture(scope="module")
def one_installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Installation, UUID]]:
    """One for all stories: each has an app of its own."""
    made = make_installation("", tmp_path_factory.mktemp("data"))
    yield made, account_of(made)
    made.database.dispose()


@given(steps=st.lists(st.integers(58_000_000, 58_000_006), max_size=20))
def test_no_sequence_of_steps_taken_holds_one_twice_or_goes_back(
    one_installation: tuple[Installation, UUID], steps: Sequence[int]
) -> None:
    installation, account_id = one_installation
    authenticator_id = added(installation, account_id)
    with installation.database.begin() as connection:
        taken = [step for step in steps if totp.take_step(connection, authenticator_id, step, START + SECOND)]
    assert taken == sorted(set(taken))
    assert taken == [step for number, step in enumerate(steps) if step > max(steps[:number], default=0)]
