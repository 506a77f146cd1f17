"""Secrets at rest: opened only in their own place and with their own key; keys rotate; the key file is made once."""

import base64
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from foundation import keyring
from foundation.keyring import BadKey, CannotOpen, Keyring, WrongPlace, from_keys, new_key
from foundation.settings import Settings

ROW, OTHER_ROW = UUID(int=1), UUID(int=2)
KEY, OTHER_KEY = new_key(), new_key()
RING = from_keys([KEY])

MAKE_KEY_FILES = """
import os
import sys
from pathlib import Path
from foundation import keyring
from foundation.settings import Settings
os.umask(0)
print("ready", flush=True)
for folder in sys.stdin:
    ring = keyring.load(Settings(data_dir=Path(folder.strip())))
    print(ring.digest(b"", purpose="test").hex(), flush=True)
"""

secrets = st.binary(max_size=100)
rows = st.uuids()
purposes = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=20)


def load(folder: Path, *keys: str) -> Keyring:
    return keyring.load(Settings(data_dir=folder, keys=tuple(SecretStr(key) for key in keys)))


# --- Sealing


@given(secrets, purposes, rows)
def test_what_was_sealed_is_opened(secret: bytes, purpose: str, row: UUID) -> None:
    sealed = RING.seal(secret, purpose=purpose, row=row)
    assert RING.open(sealed, purpose=purpose, row=row) == secret
    assert sealed.isascii()


@given(st.binary(min_size=8, max_size=100))
def test_a_sealed_text_shows_nothing_of_its_secret_nor_that_two_are_the_same(secret: bytes) -> None:
    sealed = RING.seal(secret, purpose="totp", row=ROW)
    assert secret not in base64.urlsafe_b64decode(sealed)
    assert sealed != RING.seal(secret, purpose="totp", row=ROW)


@given(secrets, purposes, purposes, rows, rows)
def test_a_sealed_text_that_was_moved_is_refused(secret: bytes, here: str, there: str, row: UUID, other: UUID) -> None:
    sealed = RING.seal(secret, purpose=here, row=row)
    for purpose, place in {(here, other), (there, row), (there, other)} - {(here, row)}:
        with pytest.raises(WrongPlace):
            RING.open(sealed, purpose=purpose, row=place)


def test_a_secret_cannot_be_made_to_look_like_another_place() -> None:
    sealed = RING.seal(b"\0" + OTHER_ROW.bytes + b"secret", purpose="totp", row=ROW)
    for purpose in ("", "t", "tot", "totp"):
        with pytest.raises(WrongPlace):
            RING.open(sealed, purpose=purpose, row=OTHER_ROW)


def test_another_key_does_not_open_it() -> None:
    sealed = RING.seal(b"secret", purpose="totp", row=ROW)
    with pytest.raises(CannotOpen):
        from_keys([OTHER_KEY]).open(sealed, purpose="totp", row=ROW)


@given(st.integers(min_value=0), st.integers(0, 7))
def test_a_text_altered_in_one_bit_is_refused(position: int, bit: int) -> None:
    altered = bytearray(base64.urlsafe_b64decode(RING.seal(b"secret", purpose="totp", row=ROW)))
    altered[position % len(altered)] ^= 1 << bit
    with pytest.raises(CannotOpen):
        RING.open(base64.urlsafe_b64encode(altered).decode(), purpose="totp", row=ROW)


@given(st.text() | st.builds(lambda length: RING.seal(b"secret", purpose="totp", row=ROW)[:length], st.integers(0, 99)))
def test_what_is_no_sealed_text_is_refused(text: str) -> None:
    with pytest.raises(CannotOpen):
        RING.open(text, purpose="totp", row=ROW)


# --- Digests


@given(st.lists(secrets, max_size=3), st.lists(secrets, max_size=3), purposes, purposes)
def test_digests_are_the_same_exactly_if_all_parts_and_the_purpose_are(
    parts: list[bytes], others: list[bytes], purpose: str, other: str
) -> None:
    same = (parts, purpose) == (others, other)
    assert RING.digest_matches(RING.digest(*parts, purpose=purpose), *others, purpose=other) is same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([b"ab", b"c"], [b"a", b"bc"]),
        ([b"a", b""], [b"a"]),
        ([b"a"], [b"a", b""]),
        ([], [b""]),
        ([b"a\0b"], [b"a", b"b"]),
    ],
)
def test_where_one_part_ends_makes_a_difference(one: list[bytes], other: list[bytes]) -> None:
    assert RING.digest(*one, purpose="link") != RING.digest(*other, purpose="link")
    assert RING.digest(b"b", purpose="a") != RING.digest(purpose="ab")


def test_a_digest_is_32_bytes_and_needs_the_key() -> None:
    digest = RING.digest(b"token", purpose="link")
    assert len(digest) == 32
    assert digest == from_keys([KEY]).digest(b"token", purpose="link")
    assert not from_keys([OTHER_KEY]).digest_matches(digest, b"token", purpose="link")
    assert not RING.digest_matches(digest[:31], b"token", purpose="link")


# --- Keys


def test_after_a_rotation_old_secrets_open_and_new_ones_are_sealed_with_the_new_key() -> None:
    rotated = from_keys([OTHER_KEY, KEY])
    old = RING.seal(b"old", purpose="totp", row=ROW)
    new = rotated.seal(b"new", purpose="totp", row=ROW)
    assert rotated.open(old, purpose="totp", row=ROW) == b"old"
    assert from_keys([OTHER_KEY]).open(new, purpose="totp", row=ROW) == b"new"
    with pytest.raises(CannotOpen):
        RING.open(new, purpose="totp", row=ROW)


def test_after_a_rotation_a_moved_secret_of_the_old_key_is_refused() -> None:
    with pytest.raises(WrongPlace):
        from_keys([OTHER_KEY, KEY]).open(RING.seal(b"old", purpose="totp", row=ROW), purpose="totp", row=OTHER_ROW)


def test_after_a_rotation_old_digests_match_and_new_ones_are_made_with_the_new_key() -> None:
    rotated = from_keys([OTHER_KEY, KEY])
    assert rotated.digest_matches(RING.digest(b"token", purpose="link"), b"token", purpose="link")
    assert rotated.digest(b"token", purpose="link") == from_keys([OTHER_KEY]).digest(b"token", purpose="link")
    assert not rotated.digest_matches(RING.digest(b"token", purpose="link"), b"other", purpose="link")


def test_no_key_is_in_what_is_printed_of_a_keyring() -> None:
    shown = repr(RING) + str(RING)
    assert KEY not in shown
    assert not any(repr(key) in shown for key in RING._mac_keys)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param("", id="nothing"),
        pytest.param("open sesame", id="a password"),
        pytest.param(KEY[:-2], id="cut off"),
        pytest.param(KEY + OTHER_KEY, id="two without a comma"),
        pytest.param(f"{KEY} {OTHER_KEY}", id="two with a blank"),
        pytest.param("ü" * 44, id="not ASCII"),
        pytest.param(base64.b64encode(b"x" * 16).decode(), id="half as long"),
    ],
)
@pytest.mark.parametrize("before", [[], [KEY]], ids=["alone", "after a right one"])
def test_a_wrong_key_is_refused_in_one_line_that_names_the_variable_and_not_the_key(
    wrong: str, before: list[str]
) -> None:
    with pytest.raises(BadKey) as refusal:
        from_keys([*before, wrong])
    assert str(refusal.value) == "KEYTURN_KEYS: a key is not one that `keyturn new-key` makes"


def test_a_keyring_without_keys_is_refused() -> None:
    with pytest.raises(BadKey):
        from_keys([])


def test_a_new_key_is_new_and_can_be_used() -> None:
    assert new_key() != new_key()
    ring = from_keys([new_key()])
    assert ring.open(ring.seal(b"secret", purpose="totp", row=ROW), purpose="totp", row=ROW) == b"secret"


# --- The key file


def test_keys_that_are_set_are_used_and_no_file_is_made(tmp_path: Path) -> None:
    sealed = load(tmp_path, OTHER_KEY, KEY).seal(b"secret", purpose="totp", row=ROW)
    assert from_keys([OTHER_KEY]).open(sealed, purpose="totp", row=ROW) == b"secret"
    assert list(tmp_path.iterdir()) == []


def test_without_keys_a_key_file_is_made_and_kept(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there"
    sealed = load(folder).seal(b"secret", purpose="totp", row=ROW)
    assert load(folder).open(sealed, purpose="totp", row=ROW) == b"secret"
    assert [file.name for file in folder.iterdir()] == ["keys"]


def test_the_key_file_holds_several_keys_newest_first(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"{OTHER_KEY}\n{KEY}\n")
    ring = load(tmp_path)
    assert ring.open(RING.seal(b"old", purpose="totp", row=ROW), purpose="totp", row=ROW) == b"old"
    assert ring.digest(purpose="link") == from_keys([OTHER_KEY]).digest(purpose="link")


WRONG_FILES = {
    "empty": b"",
    "nonsense": b"nonsense\n",
    "one of two": f"{KEY}\nnonsense".encode(),
    "no text": b"\xff\xfe",
}


@pytest.mark.parametrize("content", WRONG_FILES.values(), ids=WRONG_FILES)
def test_a_wrong_key_file_is_refused_in_one_line_that_names_it(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "keys"
    file.write_bytes(content)
    with pytest.raises(BadKey) as refusal:
        load(tmp_path)
    assert str(refusal.value).startswith(f"{file}: ")
    assert "\n" not in str(refusal.value)
    assert file.read_bytes() == content


def test_a_key_file_that_cannot_be_read_is_refused_in_one_line_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    with pytest.raises(BadKey) as refusal:
        load(tmp_path)
    assert str(refusal.value) == f"{tmp_path / 'keys'}: cannot be read or made (IsADirectoryError)"


def test_processes_that_start_at_once_make_one_key_file_that_only_its_owner_can_read(tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(40)]
    command = [sys.executable, "-c", MAKE_KEY_FILES]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            for _ in range(3)
        ]
        assert [process.stdout.readline() for process in processes if process.stdout] == ["ready\n"] * 3
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("".join(f"{folder}\n" for folder in folders))
            process.stdin.close()
        digests = [process.stdout.read().split() for process in processes if process.stdout]
    kept = [load(folder).digest(b"", purpose="test").hex() for folder in folders]
    assert digests == [kept] * 3
    for folder in folders:
        assert [(file.name, file.stat().st_mode & 0o777) for file in folder.iterdir()] == [("keys", 0o600)]
