"""What happened to which thing, and whose it is: a lost phone, not a lost invoice, nor somebody else's phone."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from inbox.finding import Found
from inbox.phrases import Table
from inbox.sentences import Sentence

_MINE = 2  # words between "my" and its thing: "my old work phone"


class Pair(NamedTuple):
    """What is done, or happens, and to which thing; in either order."""

    doing: Found
    thing: Found

    @property
    def start(self) -> int:
        return min(self.doing.start, self.thing.start)

    @property
    def between(self) -> range:
        """The places of the words between both."""
        first, second = (self.doing, self.thing) if self.doing.start < self.thing.start else (self.thing, self.doing)
        return range(first.end, second.start)

    @property
    def end(self) -> int:
        return max(self.doing.end, self.thing.end)

    def __str__(self) -> str:
        in_order = sorted((self.doing, self.thing), key=lambda found: found.start)
        return " … ".join(dict.fromkeys(found.phrase for found in in_order))


def pairs(sentence: Sentence, doings: tuple[Table, ...], things: tuple[Table, ...]) -> Iterator[Pair]:
    """Find doings and things that are close to each other and belong together."""
    all_things = list(sentence.find(*things))
    for doing in sentence.meant(*doings) if all_things else ():
        for pair in (Pair(doing, thing) for thing in all_things):
            if len(pair.between) <= sentence.phrases.apart and _belong(sentence, pair):
                yield pair


def _belong(sentence: Sentence, pair: Pair) -> bool:
    doing, thing = pair
    # "I lost my temper, my phone …": an object does not stand behind a comma; a verb may.
    if doing.start < thing.start and any(sentence.words[place] == "," for place in pair.between):
        return False
    return not any(_makes_another(sentence, pair, other) for other in sentence.find(sentence.phrases.other_things))


def _makes_another(sentence: Sentence, pair: Pair, other: Found) -> bool:
    thing = pair.thing
    # "My phone case", "my API token": what stands next to a thing, or is part of its name, may make another of it.
    if other.start <= thing.end and thing.start <= other.end:
        return True
    # "Lost the password of my phone", but "lost the password and my phone".
    joined = any(link.start in pair.between for link in sentence.find(sentence.phrases.because))
    return pair.start <= other.start < pair.end and not joined


def own(sentence: Sentence, found: Iterable[Pair]) -> Iterator[str]:
    """Write down those pairs whose thing is nobody else's."""
    return (str(pair) for pair in found if not is_about_another(sentence, pair))


def is_about_another(sentence: Sentence, pair: Pair) -> bool:
    """Tell whether somebody else is named near the pair, and the thing is not called the writer's own."""
    phrases, start = sentence.phrases, pair.thing.start
    others = [other.start for other in sentence.find(phrases.other_people) if _near(sentence, pair, other)]
    mine = [own.end for own in sentence.find(phrases.mine) if start - _MINE <= own.end <= start]
    return bool(others) and not any(all(not end <= other < start for other in others) for end in mine)


def _near(sentence: Sentence, pair: Pair, other: Found) -> bool:
    apart = sentence.phrases.apart
    if not pair.start - apart <= other.start <= pair.end + apart:
        return False
    outside = (*range(other.end, pair.start), *range(pair.end, other.start))
    return all(sentence.words[place] != "," for place in outside)
