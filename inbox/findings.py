"""What is known of who wrote a mail: whether the domain of its sender vouches for it, and how we know."""

from dataclasses import dataclass
from enum import StrEnum


class Authenticity(StrEnum):
    """Whether the domain of a mail's sender vouches for it. `forged`: a proof in that domain's name did not hold."""

    AUTHENTIC = "authentic"
    UNAUTHENTICATED = "unauthenticated"
    FORGED = "forged"


@dataclass(frozen=True, slots=True)
class Finding:
    """An answer and, for a person, why; the reason holds nothing that the sender chose."""

    authenticity: Authenticity
    reason: str


def authentic(reason: str) -> Finding:
    """The domain vouches for the mail."""
    return Finding(Authenticity.AUTHENTIC, reason)


def unauthenticated(reason: str) -> Finding:
    """Nothing is proven, either way."""
    return Finding(Authenticity.UNAUTHENTICATED, reason)


def forged(reason: str) -> Finding:
    """A proof in the domain's name did not hold."""
    return Finding(Authenticity.FORGED, reason)
