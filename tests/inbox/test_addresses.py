"""Addresses are one spelling or none: what mail systems hold for the same is, and what only looks the same is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.addresses import normalise_address


@pytest.mark.parametrize(
    ("written", "spelling"),
    [
        ("dana@whitfield-pottery.example", "dana@whitfield-pottery.example"),
        ("Dana.W+support@Whitfield-Pottery.EXAMPLE", "dana.w+support@whitfield-pottery.example"),
        ("jo@müller.example", "jo@xn--mller-kva.example"),
        ("jo@MÜLLER.example", "jo@xn--mller-kva.example"),
        ("jo@XN--MLLER-KVA.example", "jo@xn--mller-kva.example"),
        ("o'neil@mail.example", "o'neil@mail.example"),
    ],
)
def test_case_and_idna_make_no_difference(written: str, spelling: str) -> None:
    assert normalise_address(written) == spelling


@pytest.mark.parametrize(
    "lookalike",
    [
        "jo@ban\N{KELVIN SIGN}.example",
        "jo@\N{FULLWIDTH LATIN SMALL LETTER B}ank.example",
        "jo@b\N{CYRILLIC SMALL LETTER A}nk.example",
        "jo@bank\N{IDEOGRAPHIC FULL STOP}example",
        "jo@ba\N{SOFT HYPHEN}nk.example",
        "jo@bank.example\N{ZERO WIDTH SPACE}",
        "jo@ba\N{COMBINING ACUTE ACCENT}nk.example",
        "\N{LATIN SMALL LETTER DOTLESS I}o@bank.example",
        "jo\N{FULLWIDTH COMMERCIAL AT}bank.example",
    ],
)
def test_a_lookalike_is_never_the_address_it_looks_like(lookalike: str) -> None:
    assert normalise_address(lookalike) != "jo@bank.example"


@pytest.mark.parametrize("letter", ["\N{KELVIN SIGN}", "\N{LATIN SMALL LETTER LONG S}", "\N{CYRILLIC SMALL LETTER A}"])
def test_a_local_part_beyond_ascii_is_none(letter: str) -> None:
    assert normalise_address(f"mar{letter}@bank.example") is None


@pytest.mark.parametrize(
    "text",
    [
        "", "@", "dana", "dana@", "@bank.example", "dana@localhost", "dana@bank.example.", "dana@.example",
        "dana@bank..example", "dana@[192.0.2.1]", '"dana"@bank.example', "da na@bank.example", " dana@bank.example",
        "dana@bank.example\n", "dana@evil.example@bank.example", "dana@bank.example,eve@evil.example",
        "<dana@bank.example>", "dana@ba_nk.example", ".dana@bank.example", "dana.@bank.example", "da..na@bank.example",
        "dana\0@bank.example", "dana@bank\0.example", "dana@\ud800.example", "dana@xn--a.example",
        "dana@-bank.example", f"{'a' * 65}@bank.example", f"dana@{'a' * 64}.example", f"dana@{'a.' * 200}example",
        f"dana@{'.' * 100_000}",
    ],
)  # fmt: skip
def test_what_is_not_one_plain_address_is_none(text: str) -> None:
    assert normalise_address(text) is None


@given(st.text(st.sampled_from("aA.-@nxü\u07c0K\u0130\u05d0\u0660\u200d\u30fb\u3002\ud800\0"), max_size=20) | st.text())
def test_whatever_the_text_the_answer_is_none_or_a_spelling_that_stays(text: str) -> None:
    spelling = normalise_address(text)
    if spelling is not None:
        assert spelling.isascii()
        assert spelling == spelling.lower()
        assert normalise_address(spelling) == spelling
