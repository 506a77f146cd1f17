"""References: hard to guess, easy to read out, understood however they are typed."""

import pytest

from workflows.references import new_reference, read_reference

PLAIN = "R-7K10-9QX1"


def test_a_new_reference_has_the_one_spelling_and_is_read_as_itself() -> None:
    made = [new_reference() for _ in range(500)]
    assert len(set(made)) == len(made)
    assert {len(reference) for reference in made} == {len(PLAIN)}
    assert [read_reference(reference) for reference in made] == made


def test_no_letter_of_a_reference_looks_like_a_digit_or_spells_a_word() -> None:
    letters = "".join(reference[2:] for reference in (new_reference() for _ in range(500)))
    assert set(letters) == set("-0123456789ABCDEFGHJKMNPQRSTVWXYZ")


@pytest.mark.parametrize(
    "typed",
    [
        PLAIN,
        PLAIN.lower(),
        "R7K109QX1",
        " r 7k10 9qx1\n",
        "R-7KIO-9QXL",
        "r-7k1o-9qxi",
        "R\u20117K10\u20139QX1",
        "R\u2014 7K10\u00a0\u2012 9QX1",
        "\uff32\uff0d7K10\uff0d9QX1",
    ],
    ids=ascii,
)
def test_a_reference_is_read_however_it_is_typed(typed: str) -> None:
    assert read_reference(typed) == PLAIN


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "R",
        "R-7K10-9QX",
        "R-7K10-9QX12",
        "7K10-9QX1",
        "S-7K10-9QX1",
        "R-7K10-9QXU",
        "R-7K10-9QX\u00e9",
        "R-7K10/9QX1",
    ],
    ids=ascii,
)
def test_what_is_none_is_not_read_as_one(typed: str) -> None:
    assert read_reference(typed) is None
