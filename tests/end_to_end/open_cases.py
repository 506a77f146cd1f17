"""Imports as many accounts as asked for, each with a 2-Factor Auth Email only, and opens a case for each.

A process of its own (`python -m tests.end_to_end.open_cases 200`), because it reads its settings from the environment.
"""

import sys

from foundation import clock
from models.cases import Actor
from tasks.ringing import ring
from workflows import importing, installation, opening


def main() -> None:
    """Opens the cases and rings for their messages."""
    loaded, now = installation.load(), clock.now()
    refs = [f"C-{number}" for number in range(int(sys.argv[1]))]
    importing.import_accounts(loaded, [_row(ref) for ref in refs], now)
    for ref in refs:
        ring(opening.open_case(loaded, ref, actor=Actor.AGENT, now=clock.now()).owed)


def _row(ref: str) -> dict[str, object]:
    address = f"{ref.lower()}@customers.example"
    return {
        "ref": ref,
        "name": f"Customer {ref}",
        "country": "DE",
        "two_factor_email": address,
        "two_factor_email_verified": "2026-01-01",
        "preference": "email",
    }


if __name__ == "__main__":
    main()
