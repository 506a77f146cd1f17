"""However sign-ins follow each other, at whatever drift and from however many threads: a time step counts once.

On PostgreSQL, with eight threads on one account. `now` is an argument, so each thread has a clock of its own.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from authenticators import totp
from authenticators.totp import App
from models.accounts import Account
from models.factors import TotpApp
from tests.installations import START, TOTP_SECRET, by_hand, make_installation, sms_account
from tests.servers.postgres import Postgres
from tests.workflows.racing import at_once
from workflows.installation import Installation
from workflows.showing_factors import Shown
from workflows.sign_in import Outcome, verify

THREADS = 8
STEP = timedelta(seconds=30)
APP = App(TOTP_SECRET)
FIRST = totp.step_at(APP, START)
# Which step a code is of can be told afterwards, because no two of these have the same code.
REACH = range(-6, 14)
STEP_OF = {totp.code_at(APP, FIRST + step): FIRST + step for step in REACH}

tries = st.tuples(st.integers(0, 7), st.integers(-4, 4))
"""How many steps after the start somebody signs in, and by how many their phone's clock is off."""


@pytest.fixture(scope="module")
def on_postgresql(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder: Path = tmp_path_factory.mktemp("steps")
    with postgres.database() as url:
        made = make_installation(url, folder)
        sms_account(made, totp_secret=TOTP_SECRET)
        limits = made.policy.sign_in.model_copy(update={"wrong_before_waiting": 10_000, "wrong_in_a_row": 10_000})
        yield replace(made, policy=made.policy.model_copy(update={"sign_in": limits}))
        made.database.dispose()


def test_no_two_steps_here_have_the_same_code() -> None:
    assert len(STEP_OF) == len(REACH)


@settings(max_examples=25)
@given(st.lists(st.lists(tries, min_size=1, max_size=4), min_size=THREADS, max_size=THREADS))
def test_no_time_step_is_accepted_twice_and_none_after_a_later_one(
    on_postgresql: Installation, of_threads: list[list[tuple[int, int]]]
) -> None:
    by_hand(on_postgresql, update(TotpApp).values(last_step=None), update(Account).values(refused_in_a_row=0))

    def sign_in_one_after_another(mine: list[tuple[int, int]]) -> list[int]:
        return [step for when, drift in mine if (step := accepted(on_postgresql, when, drift)) is not None]

    runs = at_once(*[lambda mine=mine: sign_in_one_after_another(mine) for mine in of_threads])
    all_steps = [step for run in runs for step in run]
    assert len(all_steps) == len(set(all_steps))
    assert all(run == sorted(run) for run in runs)
    # The very first to arrive is refused by nothing but a drift beyond the window.
    near = any(abs(drift) <= 1 for mine in of_threads for _, drift in mine[:1])
    assert all_steps or not near


def accepted(installation: Installation, when: int, drift: int) -> int | None:
    """The step that was accepted; None where the sign-in was refused."""
    now: datetime = START + when * STEP
    code = totp.code_at(APP, FIRST + when + drift)
    verified = verify(installation, "DANA", Shown(code), address=None, now=now)
    return STEP_OF[code] if verified.outcome is Outcome.ACCEPTED else None
