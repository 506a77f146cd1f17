"""The three sets of database and broker that the product runs on, each as the settings that lead to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from uuid import uuid4

from cryptography.fernet import Fernet


class StackName(StrEnum):
    """Database and broker, as test ids spell them. The first is what runs where there are no services."""

    EMBEDDED = "sqlite+filesystem"
    REDIS = "postgresql+redis"
    RABBITMQ = "postgresql+rabbitmq"


@dataclass(frozen=True, slots=True)
class Stack:
    """One set, empty; `env` are the variables that a process of the product needs to run on it, and no others."""

    name: StackName
    env: Mapping[str, str]


def stack(name: StackName, data_dir: Path, database_url: str = "", broker_url: str = "") -> Stack:
    """The set that these URLs lead to; an empty one is the default, below the data folder."""
    return Stack(
        name,
        {
            "KEYTURN_DATA_DIR": str(data_dir),
            "KEYTURN_DATABASE_URL": database_url,
            "KEYTURN_BROKER_URL": broker_url,
            "KEYTURN_QUEUE_PREFIX": f"keyturn-test-{uuid4().hex}",
            "KEYTURN_KEYS": Fernet.generate_key().decode(),
        },
    )
