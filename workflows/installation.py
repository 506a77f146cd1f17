"""One installation of Keyturn: its settings, database, policy and keyring, loaded once a process and handed around."""

from dataclasses import dataclass
from functools import cache

from authenticators.relying_party import require_same_rp
from foundation import catalogue, clock, keyring, logs, settings
from foundation.keyring import Keyring
from foundation.settings import Settings
from models.database import Database, url_of
from policy import rules
from policy.rules import Policy


@dataclass(frozen=True, slots=True)
class Installation:
    """What every workflow works with."""

    settings: Settings
    database: Database
    policy: Policy
    keyring: Keyring


@cache
def load() -> Installation:
    """The installation of this process. Raises `BadSettings`, `BadPolicy` or `BadKey` where it must not start."""
    chosen = settings.load()
    logs.set_up(chosen.log_level)
    clock.set_up(chosen)
    catalogue.set_up(chosen)
    settings.make_data_dir(chosen)
    return Installation(
        chosen,
        Database(url_of(chosen)),
        rules.load(chosen.policy_file or rules.SHIPPED),
        keyring.load(chosen),
    )


def require_usable_keys(loaded: Installation) -> None:
    """Raises `OtherRelyingParty` where the settings would end the security keys of those who have one."""
    with loaded.database.read() as connection:
        require_same_rp(connection, loaded.settings.relying_party)
