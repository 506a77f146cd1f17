"""Waiting for what another process or thread does: by looking again, never by sleeping for a while and hoping."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_PAUSE = 0.02


class NeverCame(AssertionError):
    """What a test waited for did not happen in time. The text says what it was."""


def until(condition: Callable[[], T], what: str, *, seconds: float = 30) -> T:
    """The first true answer of `condition`; raises `NeverCame`, naming `what`, if there is none within `seconds`.

    The limit is for a hang, not for speed: it is far above what a slow machine needs.
    """
    end = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > end:
            raise NeverCame(f"not within {seconds:g} s: {what}")
        time.sleep(_PAUSE)
    return answer
