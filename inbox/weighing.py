"""How much each sign of a mail speaks for a request, or against one.

The weights are learned from labelled mails (`learning.py`), and kept in `weights.tsv`: a line for each sign, which says
"WEIGHT<tab>SIGN".
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

SCALE: Final = 4.0  # brings scores of usual mails to between -10 and 10
_BASE: Final = ""  # the sign of every mail


@dataclass(frozen=True, slots=True)
class Weights:
    """The weight of each sign that is known, and the score with which every mail begins."""

    base: float
    of: Mapping[str, float]

    def score(self, signs: Iterable[str]) -> float:
        """How clearly these signs together speak for a request; below zero, against one."""
        known = [self.of[sign] for sign in signs if sign in self.of]
        return self.base + pull(len(known)) * sum(known)

    def strongest(self, signs: Iterable[str]) -> list[str]:
        """The signs that speak for a request, the strongest first."""
        return sorted((sign for sign in signs if self.of.get(sign, 0) > 0), key=lambda sign: -self.of[sign])

    def weakest(self, signs: Iterable[str]) -> list[str]:
        """The signs that speak against one, the strongest first."""
        return sorted((sign for sign in signs if self.of.get(sign, 0) < 0), key=lambda sign: self.of[sign])


def pull(known: int) -> float:
    """With what each of a mail's known signs counts: less in a long mail, but not so little that length decides."""
    return SCALE / math.sqrt(max(known, 1))


def written(weights: Weights) -> str:
    """The weights as the lines of a file."""
    rows = [(_BASE, weights.base), *sorted(weights.of.items())]
    return "".join(f"{weight:.2f}\t{sign}\n" for sign, weight in rows)


def read(lines: str) -> Weights:
    """The weights from such lines."""
    rows = (line.split("\t") for line in lines.splitlines())
    of = {sign: float(weight) for weight, sign in rows}
    return Weights(of.pop(_BASE), of)


@cache
def learned() -> Weights:
    """The weights that came with this version."""
    return read((files("inbox") / "weights.tsv").read_text(encoding="utf-8"))
