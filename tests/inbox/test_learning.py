"""Learning weights: what it makes of labelled mails, and that the weights we ship are those our texts give."""

import math
from pathlib import Path

import pytest

from inbox.learning import Example, examples_in, learn
from inbox.weighing import Weights, learned, read, written

TEXTS = Path(__file__).parent / "texts"
REQUESTS = [Example([f"thing {at % 5}", "lost"], is_request=True) for at in range(40)]
OTHERS = [Example([f"thing {at % 5}", "invoice"], is_request=False) for at in range(60)]


def test_what_requests_have_and_others_have_not_speaks_for_one() -> None:
    weights = learn([*REQUESTS, *OTHERS])
    assert weights.of["lost"] > 0 > weights.of["invoice"]
    assert weights.score(["lost"]) > 0 > weights.score(["invoice"])
    assert all(abs(weights.of[f"thing {at}"]) < weights.of["lost"] / 2 for at in range(5))


def test_a_sign_of_one_or_two_mails_is_chance() -> None:
    rare = [Example(["lost", "unheard of"], is_request=True)] * 2
    assert "unheard of" not in learn([*REQUESTS, *OTHERS, *rare]).of


def test_that_most_mails_are_no_requests_does_not_speak_against_one() -> None:
    many = learn([*REQUESTS, *OTHERS * 20])
    assert many.score(["lost"]) > 0


def test_the_signs_that_weigh_most_are_told_first() -> None:
    weights = Weights(0, {"a": 1, "b": 3, "c": -2, "d": -1})
    assert weights.strongest(["a", "b", "c", "unknown"]) == ["b", "a"]
    assert weights.weakest(["d", "a", "c"]) == ["c", "d"]


def test_a_long_mail_weighs_more_than_a_short_one_but_not_by_its_length() -> None:
    weights = Weights(-1, {str(at): 1.0 for at in range(100)})
    assert weights.score(["unknown"]) == -1
    assert weights.score(weights.of) + 1 == pytest.approx(math.sqrt(100) * (weights.score(["1"]) + 1))


def test_weights_are_kept_as_lines() -> None:
    weights = Weights(-1.25, {"lost": 0.5, "手 机": -2.0})
    assert read(written(weights)) == weights


def test_the_weights_are_those_that_the_texts_give() -> None:
    """Where it fails, learn again: the first lines of `inbox/learning.py` say how."""
    now = learn([*examples_in(TEXTS / "known"), *examples_in(TEXTS / "learned")])
    kept = learned()
    assert kept.of.keys() == now.of.keys()
    assert max(abs(now.of[sign] - weight) for sign, weight in kept.of.items()) < 0.02
    assert kept.base == pytest.approx(now.base, abs=0.02)
