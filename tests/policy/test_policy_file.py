"""The policy file: the shipped one says what the design says; a wrong one is refused with its line and the reason."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from policy import rules
from policy.rules import SHIPPED, BadPolicy, Policy
from policy.vocabulary import Channel, ProofKind

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LINES = SHIPPED.read_text(encoding="utf-8").split("\n")
KEY_LINES = [number for number, line in enumerate(LINES, 1) if re.match(r"\w+ = ", line)]
HEADER_LINES = [number for number, line in enumerate(LINES, 1) if line.startswith("[")]
MAY_BE_LEFT_OUT = {"remark", "enabled", "to_one_destination", "refuses"}
GO_WITH_OTHERS = {"leaves_after", "case_open", "case_open_after_code", "code_valid_far", "far_states"}


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """Policies are read once a path; no test sees another one's."""
    yield
    rules.load.cache_clear()


def key_of(number: int) -> str:
    return LINES[number - 1].split(" = ")[0]


def header_above(number: int) -> int:
    return max(header for header in HEADER_LINES if header < number)


def changed(number: int, *instead: str) -> str:
    """The shipped text with other lines in the place of this one."""
    return "\n".join([*LINES[: number - 1], *instead, *LINES[number:]])


def line_with(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def load(folder: Path, text: str) -> Policy:
    file = folder / "policy.toml"
    file.write_text(text, encoding="utf-8")
    return rules.load(file)


def faults(folder: Path, text: str) -> list[tuple[int, str]]:
    """The line and the reason of each fault."""
    with pytest.raises(BadPolicy) as refusal:
        load(folder, text)
    start = f"{folder / 'policy.toml'}: line "
    assert all(fault.startswith(start) for fault in str(refusal.value).splitlines())
    parts = [fault.removeprefix(start).partition(": ") for fault in str(refusal.value).splitlines()]
    return [(int(number), reason) for number, _, reason in parts]


# --- The shipped one


def test_the_shipped_policy_says_what_the_design_says_of_channels() -> None:
    channels = rules.load().channels
    for channel, valid, case_open in (
        (Channel.EMAIL, DAY, 3 * DAY),
        (Channel.SMS, timedelta(minutes=10), DAY),
        (Channel.VOICE, timedelta(minutes=10), DAY),
    ):
        rule = channels[channel]
        assert (rule.digits, rule.tries, rule.code_valid, rule.case_open) == (8, 5, valid, case_open)
        assert [(limit.most, limit.within) for limit in rule.sends] == [(3, HOUR), (5, None)]
        assert (rule.code_valid_far, rule.case_open_after_code) == (None, None)
    mail = channels[Channel.MAIL]
    assert (mail.digits, mail.tries, mail.code_valid, mail.code_valid_far) == (10, 5, 21 * DAY, 30 * DAY)
    assert (mail.case_open, mail.case_open_after_code) == (None, 5 * DAY)
    assert [(limit.most, limit.within) for limit in mail.sends] == [(1, DAY), (4, 30 * DAY)]


def test_the_shipped_policy_says_what_the_design_says_of_limits_holds_and_proofs() -> None:
    policy = rules.load()
    assert (policy.limits.wrong_tries_per_case, policy.limits.wrong_tries_per_account) == (10, 100)
    assert policy.limits.password_fresh_for == timedelta(minutes=10)
    assert policy.limits.complete_within == 7 * DAY
    assert (policy.holds.primary_email, policy.holds.preference_not_allowed) == (3 * DAY, 3 * DAY)
    code, passphrase, password = ProofKind.CODE, ProofKind.PASSPHRASE, ProofKind.PASSWORD
    assert {(each.proofs, each.hold, each.remark) for each in policy.proof_sets if each.enabled} == {
        (frozenset({code, passphrase}), timedelta(), None),
        (frozenset({code, password}), timedelta(), None),
        (frozenset({code}), DAY, "below NIST AAL2"),
    }


@pytest.mark.parametrize("country", ["US", "PR", "GU", "VI", "AS", "MP", "UM"])
def test_the_shipped_policy_allows_all_channels_in_the_united_states_and_its_territories(country: str) -> None:
    assert rules.load().region(country, None).channels == set(Channel)


@pytest.mark.parametrize("country", ["DE", "CA", "MX", "JM", "GB", "ZZ"])
def test_the_shipped_policy_allows_email_alone_elsewhere(country: str) -> None:
    assert rules.load().region(country, None).channels == {Channel.EMAIL}


def test_the_policy_is_read_once(tmp_path: Path) -> None:
    policy = load(tmp_path, "\n".join(LINES))
    assert load(tmp_path, "") is policy


# --- A wrong one: every key and table of the shipped file, spoiled


@pytest.mark.parametrize("number", KEY_LINES, ids=lambda number: f"{number}-{key_of(number)}")
@pytest.mark.parametrize("value", ["[[]]", "''", "-1"])
def test_a_value_that_is_wrong_for_its_key_is_refused_at_its_line(tmp_path: Path, number: int, value: str) -> None:
    found = faults(tmp_path, changed(number, f"{key_of(number)} = {value}"))
    assert {line for line, _ in found} == {number}
    assert all(f".{key_of(number)}" in reason.partition(":")[0] for _, reason in found)


@pytest.mark.parametrize("number", KEY_LINES, ids=lambda number: f"{number}-{key_of(number)}")
def test_a_missing_key_is_refused_at_its_table(tmp_path: Path, number: int) -> None:
    text = changed(number)
    if key_of(number) in MAY_BE_LEFT_OUT:
        load(tmp_path, text)
        return
    ((line, reason),) = faults(tmp_path, text)
    assert line == header_above(number)
    if key_of(number) in GO_WITH_OTHERS:
        assert "give exactly one of" in reason or "go together" in reason
    else:
        assert reason.endswith(f".{key_of(number)}: Field required")


@pytest.mark.parametrize("number", HEADER_LINES, ids=lambda number: f"{number}-{LINES[number - 1]}")
def test_an_unknown_key_is_refused_at_its_line(tmp_path: Path, number: int) -> None:
    text = changed(number, LINES[number - 1], "", "# a key of ours", "colour = 'blue'")
    assert [(line, reason.partition(": ")[2]) for line, reason in faults(tmp_path, text)] == [
        (number + 3, "Extra inputs are not permitted")
    ]


@pytest.mark.parametrize("table", ["limits", "holds", "proof_sets", "regions"])
def test_a_missing_table_is_refused_by_its_name(tmp_path: Path, table: str) -> None:
    text = re.sub(rf"(?m)^\[+{table}\]+\n([^\[\n].*\n|\n)*", "", "\n".join(LINES))
    assert table not in re.findall(r"(?m)^\[+(\w+)", text)
    assert faults(tmp_path, text) == [(1, f"{table}: Field required")]


@pytest.mark.parametrize("channel", list(Channel))
def test_a_missing_channel_is_refused_by_its_name_where_channels_begin(tmp_path: Path, channel: Channel) -> None:
    text = re.sub(rf"(?m)^\[channels\.{channel}\]\n([^\[\n].*\n|\n)*", "", "\n".join(LINES))
    assert faults(tmp_path, text) == [(line_with(text, "[channels."), f"channels: no [channels.{channel}]")]


def test_an_unknown_table_is_refused_at_its_line(tmp_path: Path) -> None:
    for header in ("[fees]", "[fees-and-more]", '["fees and more"]', "[[fees]]", "[ fees ]"):
        text = changed(HEADER_LINES[1], header, "a = 1", "", LINES[HEADER_LINES[1] - 1])
        ((line, reason),) = faults(tmp_path, text)
        assert (line, reason.partition(": ")[2]) == (HEADER_LINES[1], "Extra inputs are not permitted")


def test_an_unknown_channel_is_refused_at_its_line_and_the_known_ones_are_named(tmp_path: Path) -> None:
    text = "\n".join(LINES).replace("[channels.sms]", "[channels.fax]")
    ((line, reason),) = faults(tmp_path, text)
    assert line == line_with(text, "[channels.fax]")
    assert reason == "channels.fax.[key]: Input should be 'email', 'sms', 'voice' or 'mail'"


def test_all_faults_are_named_at_once_each_at_its_line(tmp_path: Path) -> None:
    spoiled = (KEY_LINES[0], KEY_LINES[8], KEY_LINES[-1])
    text = "\n".join(f"{key_of(n)} = [[]]" if n in spoiled else line for n, line in enumerate(LINES, 1))
    assert [line for line, _ in faults(tmp_path, text)] == list(spoiled)


# --- A wrong one: what a value must be


def spoiled(part: str, instead: str) -> tuple[str, int]:
    """The shipped text with its first `part` replaced, and the line of it."""
    text = "\n".join(LINES)
    assert part in text
    return text.replace(part, instead, 1), line_with(text, part)


@pytest.mark.parametrize(
    ("part", "instead", "reason"),
    [
        ("wrong_tries_per_case = 10", "wrong_tries_per_case = 0", "greater than or equal to 1"),
        ("wrong_tries_per_case = 10", "wrong_tries_per_case = 1001", "less than or equal to 1000"),
        ("wrong_tries_per_account = 100", "wrong_tries_per_account = 101", "less than or equal to 100"),
        ("tries = 5", "tries = true", "valid integer"),
        ("tries = 5", 'tries = "5"', "valid integer"),
        ("tries = 5", "tries = 5.0", "valid integer"),
        ("digits = 8", "digits = 6", "8 or 10"),
        ("digits = 8", "digits = 9", "8 or 10"),
        ('code_valid = "24h"', "code_valid = 24", "must be a time such as"),
        ('code_valid = "24h"', 'code_valid = "24 h"', "must be a time such as"),
        ('code_valid = "24h"', 'code_valid = "1d12h"', "must be a time such as"),
        ('code_valid = "24h"', 'code_valid = "-24h"', "must be a time such as"),
        ('code_valid = "24h"', 'code_valid = "24H"', "must be a time such as"),
        ('code_valid = "24h"', 'code_valid = "24h\\n"', "must be a time such as"),
        ('code_valid = "24h"', 'code_valid = "1000000d"', "must be a time such as"),
        ('code_valid = "24h"', 'code_valid = "0"', "longer than 0"),
        ('code_valid_far = "30d"', 'code_valid_far = "0h"', "longer than 0"),
        ('case_open = "3d"', 'case_open = "0"', "longer than 0"),
        ('complete_within = "7d"', 'complete_within = "0"', "longer than 0"),
        ("{ most = 3, within", "{ most = 0, within", "greater than or equal to 1"),
        ('most = 4, within = "30d"', 'most = 4, within = "0"', "longer than 0"),
        ('most = 4, within = "30d"', 'most = 4, after = "30d"', "Extra inputs"),
        ('most = 4, within = "30d"', 'within = "30d"', "Field required"),
        ('"AK", "HI"', '"AK", "Hawaii"', "pattern"),
        ('proofs = ["code", "passphrase"]', 'proofs = ["passphrase"]', "every set needs the code"),
        ('proofs = ["code", "passphrase"]', "proofs = []", "every set needs the code"),
        ('proofs = ["code", "password"]', 'proofs = ["code", "smile"]', "'code', 'passphrase' or 'password'"),
        ('proofs = ["code", "password"]', 'proofs = "code"', "valid frozenset"),
        ("enabled = true", 'enabled = "false"', "valid boolean"),
        ("enabled = true", "enabled = 1", "valid boolean"),
        ('name = "code and passphrase"', f'name = "{"x" * 101}"', "at most 100 characters"),
        ('remark = "below NIST AAL2"', f'remark = "{"x" * 101}"', "at most 100 characters"),
        ('countries = ["US", "PR"', 'countries = ["us", "PR"', "pattern"),
        ('countries = ["US", "PR"', 'countries = ["USA", "PR"', "pattern"),
        ('channels = ["email", "sms"', 'channels = ["email", "fax"', "'email', 'sms', 'voice' or 'mail'"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_the_reason(
    tmp_path: Path, part: str, instead: str, reason: str
) -> None:
    text, number = spoiled(part, instead)
    ((line, told),) = faults(tmp_path, text)
    assert reason in told
    # What is wrong with a table as a whole stands at its header.
    assert line == (header_above(number) if "every set" in reason else number)


@pytest.mark.parametrize(
    ("part", "instead"),
    [
        ('["*"]', '["DE"]'),
        ('["*"]', '["*", "DE"]'),
        ('["*"]', "[]"),
        ('countries = ["US", "PR", "GU", "VI", "AS", "MP", "UM"]', 'countries = ["*"]'),
    ],
)
def test_the_last_region_and_no_other_must_be_for_all_other_countries(tmp_path: Path, part: str, instead: str) -> None:
    text, _ = spoiled(part, instead)
    ((line, reason),) = faults(tmp_path, text)
    assert (line, "must be for all other countries" in reason) == (line_with(text, "[[regions]]"), True)


def test_a_region_after_the_one_for_all_other_countries_is_refused(tmp_path: Path) -> None:
    text = spoiled('["*"]', '["DE"]')[0].replace('["US", "PR", "GU", "VI", "AS", "MP", "UM"]', '["*"]')
    ((line, reason),) = faults(tmp_path, text)
    assert (line, "must be for all other countries" in reason) == (line_with(text, "[[regions]]"), True)


def test_one_set_of_proofs_must_be_enabled(tmp_path: Path) -> None:
    text = "\n".join(LINES).replace("hold = ", "enabled = false\nhold = ").replace("enabled = true\n", "")
    ((line, reason),) = faults(tmp_path, text)
    assert (line, "no case could complete" in reason) == (line_with(text, "[[proof_sets]]"), True)


# --- The line is right however the file is written


EMAIL = """digits = 8
code_valid = "24h"
case_open = "3d"
tries = 5
sends = [{ most = 3, within = "1h" }, { most = 5 }]"""


@pytest.mark.parametrize(
    "written",
    [
        'remark = "[limits]"\nhold = 7 # here',
        '# [limits]\n  # hold = "0"\n#\n\n  hold = 7 # here',
        'remark = """\n[limits]\nhold = "1d"\n[[regions]]\n"""\nhold = 7 # here',
        "remark = '''\n[limits]\nhold = '1d'\n'''\n\n# a comment\nhold = 7 # here",
        'remark = "a \\"quoted\\" word = [x]"\nhold = 7 # here',
        '"hold" = 7 # here',
        "'hold' = 7 # here",
        "  hold=7 # here",
        "\thold\t=\t7 # here",
        "hold = [ # here\n  7,\n]",
        "remark = 'a\u2028b\u0085c'\nhold = 7 # here",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_line_is_right_whatever_stands_around_the_key(tmp_path: Path, written: str, end: str) -> None:
    text, _ = spoiled('hold = "0"', written)
    assert [line for line, _ in faults(tmp_path, text.replace("\n", end))] == [line_with(text, "# here")]


@pytest.mark.parametrize(
    "written",
    [
        "[channels.email]\ndigits = 7 # here",
        "[ channels . email ]\ndigits = 7 # here",
        '["channels"."email"]\ndigits = 7 # here',
        '[channels]\nemail.code_valid = "24h"\nemail.digits = 7 # here',
        '[channels]\nemail = { digits = 7, code_valid = "24h" } # here',
        "[channels.email] # digits = 8\n# [channels.sms]\ndigits = 7 # here",
        "[channels.email]\nsends = [\n  { most = 3 },\n  # { most = 4 },\n]\ndigits = 7 # here",
    ],
)
def test_the_line_is_right_however_a_table_is_written(tmp_path: Path, written: str) -> None:
    text, _ = spoiled(f"[channels.email]\n{EMAIL}", written)
    assert (line_with(text, "# here"), "channels.email.digits: Input should be 8 or 10") in faults(tmp_path, text)


@pytest.mark.parametrize("wrong", [0, 1, 2])
def test_the_line_is_right_in_the_array_of_arrays_of_tables(tmp_path: Path, wrong: int) -> None:
    sends = [f"[[channels.email.sends]]\nmost = {0 if number == wrong else 1} # {number}\n" for number in range(3)]
    text, _ = spoiled(EMAIL, EMAIL.rpartition("\n")[0] + "\n\n" + "\n".join(sends))
    assert [line for line, _ in faults(tmp_path, text)] == [line_with(text, f"# {wrong}\n")]


@pytest.mark.parametrize("wrong", [0, 1, 2])
def test_the_line_is_right_in_each_of_the_sets_of_proofs(tmp_path: Path, wrong: int) -> None:
    number = [n for n in KEY_LINES if key_of(n) == "hold"][wrong]
    assert faults(tmp_path, changed(number, "hold = 7"))[0][0] == number


# --- What is no TOML, or no file


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("tries = # here", "Invalid value (at line {line}, column 9)"),
        ('tries = "5 # here', "Illegal character '\\n' (at line {line}, column 18)"),
        ("tries 5 # here", "Expected '=' after a key in a key/value pair (at line {line}, column 7)"),
        ("tries = 5 6 # here", "Expected newline or end of document after a statement (at line {line}, column 11)"),
        ("tries = 5\ntries = 5 # here", "Cannot overwrite a value (at line {line}, column 10)"),
        ("[more # here", "Expected ']' at the end of a table declaration (at line {line}, column 7)"),
        ("[limits] # here", "Cannot declare ('limits',) twice (at line {line}, column 8)"),
        ("tries = five # here", "Invalid value (at line {line}, column 9)"),
    ],
)
def test_what_is_no_toml_is_refused_at_its_line(tmp_path: Path, written: str, reason: str) -> None:
    text, first = spoiled("tries = 5", written)
    ((line, told),) = faults(tmp_path, text)
    assert told.startswith(reason.format(line=line_with(text, "# here")))
    assert line in {first, line_with(text, "# here")}


def test_a_text_that_never_ends_is_refused_at_the_line_where_it_begins(tmp_path: Path) -> None:
    text, number = spoiled('remark = "below', 'remark = """below')
    assert faults(tmp_path, text) == [(number, "Unterminated string (at end of document)")]


def test_an_empty_file_is_refused_with_all_that_it_lacks(tmp_path: Path) -> None:
    tables = ("limits", "holds", "inbox", "sign_in", "channels", "proof_sets", "regions")
    assert faults(tmp_path, "") == [(1, f"{table}: Field required") for table in tables]


def test_a_file_that_cannot_be_read_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "latin.toml").write_bytes(b"name = '\xe9'\n")
    for name, error in (
        ("missing.toml", "FileNotFoundError"),
        ("folder.toml", "IsADirectoryError"),
        ("latin.toml", "UnicodeDecodeError"),
    ):
        with pytest.raises(BadPolicy) as refusal:
            rules.load(tmp_path / name)
        assert str(refusal.value) == f"{tmp_path / name}: cannot be read ({error})"


@pytest.mark.parametrize("instead", ["", 'leaves_after = "0"', 'leaves_after = "9m"'])
def test_a_letter_leaves_ten_minutes_after_it_was_taken_at_the_earliest(tmp_path: Path, instead: str) -> None:
    shipped = "\n".join(LINES)
    with pytest.raises(BadPolicy, match="leaves_after, at least 10m"):
        load(tmp_path, shipped.replace('leaves_after = "1h"', instead))


def test_only_letters_leave_later(tmp_path: Path) -> None:
    open_as_a_letter = 'case_open_after_code = "1d"\nleaves_after = "1h"'
    number = next(each for each in KEY_LINES if key_of(each) == "case_open" and LINES[each - 1].endswith('"24h"'))
    with pytest.raises(BadPolicy, match="and no other, needs leaves_after"):
        load(tmp_path, changed(number, open_as_a_letter))
