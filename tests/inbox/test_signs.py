"""What a mail shows: its words, and the phrases of the tables in it."""

import pytest

from inbox.hearing import Heard
from inbox.signs import signs_of


def signs(text: str, subject: str = "") -> dict[str, str]:
    return dict(signs_of(Heard(subject, text).own))


def test_words_and_those_that_follow_each_other_are_signs() -> None:
    assert {"phone", "drowned", "phone drowned", "my phone"} <= signs("My phone drowned.").keys()
    assert "drowned the" not in signs("My phone drowned. The toddler laughed.")


def test_where_a_character_is_a_word_three_in_a_row_are_a_sign() -> None:
    assert {"手", "手 机", "手 机 丢"} <= signs("手机丢了").keys()
    assert "my phone drowned" not in signs("My phone drowned.")


def test_numbers_are_no_signs() -> None:
    assert not any("4821" in sign for sign in signs("My code is 48213377, customer no. K4821, I lost my phone."))


def test_only_what_is_a_phrase_of_ours_is_told_and_no_name() -> None:
    shown = signs("Lost phone. Thomas 小明 lost thomas")
    assert shown["lost"] == "lost"
    assert {shown["thomas"], shown["lost thomas"], shown["小 明"]} == {""}


@pytest.mark.parametrize(
    ("text", "sign", "told"),
    [
        ("I lost my phone.", "[lost]", "lost"),
        ("I lost my phone.", "[lost] meant", "lost"),
        ("I have not lost my phone.", "[lost] denied", "lost"),
        ("If I lost my phone, what then?", "[lost] denied", "lost"),
        ("I lost my phone.", "[devices] [lost]", "phone … lost"),
        ("Ich habe mein Handy verloren.", "[devices] [lost]", "handy … verloren"),
    ],
)
def test_what_phrases_are_for_is_a_sign_and_told_by_the_phrase(text: str, sign: str, told: str) -> None:
    assert signs(text)[sign] == told


def test_phrases_of_two_sentences_stand_in_none_together() -> None:
    assert "[devices] [lost]" not in signs("I lost it all. My phone works.")


def test_a_subject_is_told_apart() -> None:
    assert "[lost] in the subject" in signs("", "Lost phone")
    assert "[lost] in the subject" not in signs("Lost phone")


def test_a_short_mail_shows_that_it_is_short() -> None:
    assert {"[at most 10 words]", "[at most 20 words]"} <= signs("Phone lost, phone lost, please help.").keys()
    longer = signs(
        "Phone lost on the train to the coast, and the login asks for a code that only it could show, please help."
    )
    assert not longer.keys() & {"[at most 10 words]", "[at most 20 words]"}
    assert "[at most 40 words]" in longer
