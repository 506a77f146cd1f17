"""The way to the page of held mail: a sealed link that whoever runs Keyturn hands to an agent, and the pass it gives.

Both hold the agent's name and the time. Nothing is stored: whoever can make one can read the database as well.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from foundation.keyring import CannotOpen, WrongPlace
from workflows.installation import Installation

LINK_LIFE = timedelta(minutes=10)
PASS_LIFE = timedelta(hours=8)

_LINK, _PASS = "link to held mail", "pass to held mail"
_NO_ROW = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Agent:
    """Who looks at held mail, by the name that decisions are kept under."""

    name: str


def link_for(installation: Installation, name: str, now: datetime) -> str:
    """The link for this name, good for `LINK_LIFE`."""
    return f"{installation.settings.public_url}/support/enter/{_sealed(installation, _LINK, name, now)}"


def agent_of_link(installation: Installation, token: str, now: datetime) -> Agent | None:
    """Whose link it is; None where it is none, or too old."""
    return _opened(installation, _LINK, token, now - LINK_LIFE)


def pass_for(installation: Installation, agent: Agent, now: datetime) -> str:
    """What the agent's browser shows from now on, for `PASS_LIFE`."""
    return _sealed(installation, _PASS, agent.name, now)


def agent_of_pass(installation: Installation, shown: str, now: datetime) -> Agent | None:
    """Whose pass it is; None where it is none, or too old."""
    return _opened(installation, _PASS, shown, now - PASS_LIFE)


def _sealed(installation: Installation, purpose: str, name: str, now: datetime) -> str:
    return installation.keyring.seal(f"{now.isoformat()} {name}".encode(), purpose=purpose, row=_NO_ROW)


def _opened(installation: Installation, purpose: str, sealed: str, made_after: datetime) -> Agent | None:
    try:
        made_at, _, name = installation.keyring.open(sealed, purpose=purpose, row=_NO_ROW).decode().partition(" ")
    except (CannotOpen, WrongPlace, UnicodeEncodeError):
        return None
    return Agent(name) if datetime.fromisoformat(made_at) > made_after else None
