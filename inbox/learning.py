"""Learns the weights by which mails are judged, from labelled ones.

To be run when the texts, the tables of phrases, or what counts as a sign have changed:

    .venv/bin/python -m inbox.learning tests/inbox/texts/known tests/inbox/texts/learned

It is logistic regression, fitted by stochastic gradients with a step for each sign that shrinks as it is seen (AdaGrad:
Duchi, Hazan, Singer 2011, JMLR 12). The same texts give the same weights.
"""

import math
import random
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from inbox.judging import heard
from inbox.reading import Mail
from inbox.signs import at_most, signs_of
from inbox.weighing import Weights, pull, written

_SEEN_IN: Final = 3  # mails; a sign of fewer is chance
# How often a mail counts that is at most so short: it has fewer signs, and most requests are short.
_COUNTS: Final = MappingProxyType({10: 10, 20: 5, 40: 2})
_ROUNDS: Final = 12
_STEP: Final = 0.2
_SHRINK: Final = 0.04  # towards zero, at each step, so that no sign decides alone
_STEEPEST: Final = 30.0  # beyond, `exp` only says "certain"


class Example(NamedTuple):
    """The signs of a mail, and whether it is a request that may be granted at once."""

    signs: Collection[str]
    is_request: bool


@dataclass(slots=True)
class _Slope:
    """A weight on its way, and how much it was moved so far."""

    weight: float = 0.0
    moved: float = 1e-6

    def move(self, gradient: float) -> None:
        self.moved += gradient * gradient
        self.weight -= _STEP * gradient / math.sqrt(self.moved)


def learn(examples: Iterable[Example]) -> Weights:
    """The weights that tell the requests among these from the others, as if there were as many of either."""
    known = _known(examples := list(examples))
    told = [_told(example, known) for example in examples for _ in range(_counts(example))]
    base, slopes, worth = _Slope(), defaultdict[str, _Slope](_Slope), _worth(told)
    order = random.Random(1)  # noqa: S311 - an order that is the same in each run
    for _ in range(_ROUNDS):
        order.shuffle(told)
        for example in told:
            weight = worth[example.is_request]
            _fit(base, [slopes[sign] for sign in example.signs], float(example.is_request), weight)
    return Weights(base.weight, {sign: slope.weight for sign, slope in slopes.items()})


def _told(example: Example, known: frozenset[str]) -> Example:
    return Example([sign for sign in sorted(example.signs) if sign in known], example.is_request)


def _counts(example: Example) -> int:
    return next((times for most, times in _COUNTS.items() if at_most(most) in example.signs), 1)


def _known(examples: Iterable[Example]) -> frozenset[str]:
    seen = Counter(sign for example in examples for sign in set(example.signs))
    return frozenset(sign for sign, times in seen.items() if times >= _SEEN_IN)


def _worth(examples: Sequence[Example]) -> dict[bool, float]:
    requests = sum(example.is_request for example in examples)
    return {True: len(examples) / 2 / requests, False: len(examples) / 2 / (len(examples) - requests)}


def _fit(base: _Slope, slopes: Sequence[_Slope], wanted: float, worth: float) -> None:
    value = pull(len(slopes))
    score = base.weight + value * sum(slope.weight for slope in slopes)
    likely = 1 / (1 + math.exp(-max(-_STEEPEST, min(_STEEPEST, score))))
    error = (likely - wanted) * worth
    base.move(error)
    for slope in slopes:
        slope.move(error * value + _SHRINK * slope.weight)


def examples_in(folder: Path) -> list[Example]:
    """The labelled mails in the TOML files of a folder: tables `text`, each with `class`, `subject` and `text`."""
    rows = [row for file in sorted(folder.glob("*.toml")) for row in tomllib.loads(file.read_text("utf-8"))["text"]]
    return [Example(signs_of(heard(_mail(row["subject"], row["text"])).own), row["class"] == "reset") for row in rows]


def _mail(subject: str, text: str) -> Mail:
    return Mail(None, None, subject, text, message_id=None, machine_sign=None)


def main(folders: Iterable[str]) -> None:
    """Learns from the mails in these folders and writes the weights."""
    examples = [example for folder in folders for example in examples_in(Path(folder))]
    (Path(__file__).parent / "weights.tsv").write_text(written(learn(examples)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
