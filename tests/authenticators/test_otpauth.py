"""Apps as otpauth lines: as they are given out, as they are read again, and as other systems write them."""

import string
from contextlib import suppress
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from authenticators import otpauth, totp
from authenticators.otpauth import BadTotp
from authenticators.totp import App, in_base32
from models.factors import Algorithm
from tests.installations import TOTP_SECRET

APP = App(TOTP_SECRET)
BARE = "JBSWY3DPEHPK3PXP"
SHA256, SHA512 = Algorithm.SHA256, Algorithm.SHA512

apps = st.builds(
    App,
    st.binary(min_size=10, max_size=80).map(in_base32),
    st.sampled_from(Algorithm),
    st.sampled_from((6, 8)),
    st.integers(15, 120),
)
names = st.text(st.one_of(st.sampled_from(" :/+%&=?#@äß東\n\ud800"), st.characters()), max_size=40)


def test_a_uri_is_the_one_of_the_key_uri_format() -> None:
    assert totp.uri(APP, "ACME Co", "john@example.com") == (
        f"otpauth://totp/ACME%20Co:john%40example.com?secret={TOTP_SECRET}&issuer=ACME%20Co"
    )
    other = App(TOTP_SECRET, Algorithm.SHA256, 8, 60)
    assert totp.uri(other, "A", "b").endswith("&issuer=A&algorithm=SHA256&digits=8&period=60")


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("Grün & Söhne", "Gr%C3%BCn%20%26%20S%C3%B6hne"),
        ("host: one", "host%20one"),
        ("a/b+c%d", "a%2Fb%2Bc%25d"),
        (" two\nlines ", "two%20lines"),
        ("half \ud83d", "half%20%3F"),
    ],
)
def test_names_are_encoded_alike_in_the_label_and_the_parameter(name: str, encoded: str) -> None:
    assert totp.uri(APP, name, name) == f"otpauth://totp/{encoded}:{encoded}?secret={TOTP_SECRET}&issuer={encoded}"


@given(apps, names, names)
def test_what_is_written_is_read_again_whatever_the_names(app: App, issuer: str, account_name: str) -> None:
    line = totp.uri(app, issuer, account_name)
    assert otpauth.read_uri(line) == otpauth.read(line) == app
    assert set(line) <= set(string.ascii_letters + string.digits + "-._~%:/?&=")


@given(apps.filter(lambda app: not app.is_weak), names, names)
def test_pyotp_reads_the_same_from_it(app: App, issuer: str, account_name: str) -> None:
    line = totp.uri(app, issuer, account_name)
    theirs = pyotp.parse_uri(line)
    assert isinstance(theirs, pyotp.TOTP)
    assert (theirs.secret, theirs.digits, theirs.interval) == (app.secret, app.digits, app.period)
    assert theirs.digest().name == app.algorithm


@given(apps, names, names)
def test_the_label_has_one_colon_however_often_it_is_decoded(app: App, issuer: str, account_name: str) -> None:
    parts = urlsplit(totp.uri(app, issuer, account_name))
    brand, _, _ = unquote(parts.path).removeprefix("/").partition(":")
    assert unquote(parts.path).count(":") == 1
    assert parse_qs(parts.query, keep_blank_values=True)["issuer"] == [brand]


READABLE = {
    "small letters": (f"otpauth://totp/A:b?secret={BARE.lower()}", App(BARE)),
    "a scheme in capitals": (f"OTPAUTH://TOTP/A:b?SECRET={BARE}", App(BARE)),
    "blanks and dashes": ("otpauth://totp/A:b?secret=JBSW+Y3DP%20EHPK-3PXP&issuer=A", App(BARE)),
    "padding": ("otpauth://totp/A:b?secret=JBSWY3DPEHPK3PXPJA%3D%3D%3D%3D%3D%3D", App("JBSWY3DPEHPK3PXPJA")),
    "padding as it is": ("otpauth://totp/A:b?secret=JBSWY3DPEHPK3PXPJA======&digits=8", App(f"{BARE}JA", digits=8)),
    "bits left over": ("otpauth://totp/A:b?secret=JBSWY3DPEHPK3PXPJB", App("JBSWY3DPEHPK3PXPJA")),
    "an algorithm in small letters": (
        f"otpauth://totp/A:b?secret={BARE}&algorithm=sha256",
        App(BARE, Algorithm.SHA256),
    ),
    "an algorithm with a dash": (f"otpauth://totp/A:b?secret={BARE}&algorithm=SHA-512", App(BARE, SHA512)),
    "the shortest period": (f"otpauth://totp/A:b?secret={BARE}&period=15", App(BARE, period=15)),
    "the longest period": (f"otpauth://totp/A:b?secret={BARE}&period=120", App(BARE, period=120)),
    "no label": (f"otpauth://totp?secret={BARE}", App(BARE)),
    "a picture": (f"otpauth://totp/A:b?secret={BARE}&image=https://a.example/b.png", App(BARE)),
    "blanks around it": (f"  otpauth://totp/A:b?secret={BARE}\n", App(BARE)),
}


@pytest.mark.parametrize(("line", "app"), READABLE.values(), ids=READABLE)
def test_a_line_of_another_system_is_read(line: str, app: App) -> None:
    assert otpauth.read_uri(line) == app


@pytest.mark.parametrize("text", [BARE, "jbsw y3dp ehpk 3pxp", "JBSW-Y3DP-EHPK-3PXP"])
def test_a_bare_secret_makes_an_app_with_what_is_usual(text: str) -> None:
    assert otpauth.read(text) == App(BARE, Algorithm.SHA1, 6, 30)
    with pytest.raises(BadTotp):
        otpauth.read_uri(text)


UNREADABLE = {
    "nothing": ("", "is not an otpauth"),
    "another scheme": (f"https://totp/A:b?secret={BARE}", "is not an otpauth"),
    "codes that are counted": (f"otpauth://hotp/A:b?secret={BARE}&counter=1", "hotp"),
    "a bad host": (f"otpauth://[totp/A:b?secret={BARE}", "is not an otpauth"),
    "a move of Google's": (f"otpauth-migration://offline?data={BARE}", "is not an otpauth"),
    "no secret": ("otpauth://totp/A:b?issuer=A", "has no secret"),
    "an empty secret": ("otpauth://totp/A:b?secret=&issuer=A", "has no secret"),
    "two secrets": (f"otpauth://totp/A:b?secret={BARE}&secret={BARE}", "twice"),
    "no base 32": (f"otpauth://totp/A:b?secret={BARE}1", "not in base 32"),
    "letters that become others": (f"otpauth://totp/A:b?secret={BARE}%C3%9F", "not in base 32"),
    "a secret too long": (f"otpauth://totp/A:b?secret={BARE * 8}A", "longer than 128"),
    "a secret cut off": (f"otpauth://totp/A:b?secret={BARE}A", "cut off"),
    "a secret of 72 bits": ("otpauth://totp/A:b?secret=JBSWY3DPEHPK3PX", "less than 80 bits"),
    "seven digits": (f"otpauth://totp/A:b?secret={BARE}&digits=7", "6 or 8"),
    "ten digits": (f"otpauth://totp/A:b?secret={BARE}&digits=10", "6 or 8"),
    "digits in words": (f"otpauth://totp/A:b?secret={BARE}&digits=six", "6 or 8"),
    "digits of another script": (f"otpauth://totp/A:b?secret={BARE}&digits=%D9%A6", "6 or 8"),
    "a period too short": (f"otpauth://totp/A:b?secret={BARE}&period=14", "15 to 120"),
    "a period too long": (f"otpauth://totp/A:b?secret={BARE}&period=121", "15 to 120"),
    "no period": (f"otpauth://totp/A:b?secret={BARE}&period=", "15 to 120"),
    "another algorithm": (f"otpauth://totp/A:b?secret={BARE}&algorithm=MD5", "none of SHA1"),
}


@pytest.mark.parametrize(("line", "fault"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_taken_is_refused_with_its_reason_and_never_repeated(line: str, fault: str) -> None:
    with pytest.raises(BadTotp, match=fault) as refusal:
        otpauth.read_uri(line)
    assert BARE[:8] not in str(refusal.value)


@given(st.one_of(st.text(), st.text().map("otpauth://totp/{}".format), st.text().map("otpauth://totp/?{}".format)))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(BadTotp):
        assert otpauth.read(text).bits >= 80
