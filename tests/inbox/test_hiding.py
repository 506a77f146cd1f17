"""What people see of a mail's text: no code, no address, no number, and nothing that may be a passphrase."""

import pytest

from inbox.hiding import shown

SECRET = "violet harbour lamp"


def is_passphrase(line: str) -> bool:
    return line == SECRET


@pytest.mark.parametrize(
    "line",
    [
        "My passphrase is blue door",
        "PASSPHRASE: blue door",
        "pass phrase blue door",
        "das Kennwort lautet blue door",
        "my password is blue door",
        "Passwort: blue door",
        "mi contraseña: blue door",
        "la phrase secrète : blue door",
        "minha senha é blue door",
        "кодовая фраза: blue door",
        "我的密码是 blue door",
        "パスフレーズは blue door です",
    ],
)
def test_a_line_that_names_a_passphrase_is_hidden(line: str) -> None:
    assert shown(f"Hello\n{line}\n\nmore\nBye", lambda _: False) == "Hello\n•••\n\n•••\nBye"


@pytest.mark.parametrize(
    "line",
    ["I forgot my password.", "Ich habe mein Passwort vergessen", "he olvidado mi contraseña", "Как сменить пароль?"],
)
def test_a_password_that_is_only_spoken_of_is_shown(line: str) -> None:
    assert shown(line, lambda _: False) == line


@pytest.mark.parametrize("label", ["My passphrase:", "My passphrase is:", "The passphrase is below", "passphrase\n"])
def test_the_next_written_line_is_hidden_too(label: str) -> None:
    assert "blue door" not in shown(f"{label}\nblue door\nBye", lambda _: False)


@pytest.mark.parametrize("line", [SECRET, f"  {SECRET} ", f'"{SECRET}"', f"it is: {SECRET}", f"{SECRET}."])
def test_the_accounts_own_passphrase_is_hidden_wherever_it_stands_alone(line: str) -> None:
    assert shown(f"Hello\n{line}\nBye", is_passphrase) == "Hello\n•••\nBye"


def test_codes_addresses_and_numbers_are_hidden_and_the_rest_is_not() -> None:
    text = "The code 4821 7306 came to me@home.example and +12025550142.\nI lost my phone."
    assert shown(text, lambda _: False) == "The code ••• came to ••• and •••.\nI lost my phone."


def test_a_bounded_number_of_lines_is_tried() -> None:
    tried: list[str] = []

    def note(line: str) -> bool:
        tried.append(line)
        return False

    shown("\n".join(f"line {number}" for number in range(1000)) + "\n" + "x" * 10_000, note)
    assert len(tried) == 16
