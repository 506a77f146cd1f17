"""The example mails say what their names promise: they are what the demo plays and what a newcomer tries first."""

from pathlib import Path

import pytest

from inbox.judging import Ask, judge
from inbox.reading import read

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(
    ("name", "sender", "asks"),
    [
        ("lost-phone", "dana@whitfield-pottery.example", Ask.RESET),
        ("new-password", "dana@whitfield-pottery.example", Ask.SOMETHING_ELSE),
        ("broken-yubikey-de", "jonas@ebert-fotografie.example", Ask.RESET),
        ("letter-customer", "ruth@calloway-bees.example", Ask.RESET),
        ("letter-customer-hawaii", "keoni@palakiko-surf.example", Ask.RESET),
        ("call-customer", "omar@haddad-bikes.example", Ask.RESET),
        ("email-customer", "grace@lindqvist-maps.example", Ask.RESET),
    ],
)
def test_each_example_names_its_customer_and_asks_what_it_should(name: str, sender: str, asks: Ask) -> None:
    mail = read((EXAMPLES / f"{name}.eml").read_bytes())
    assert (mail.sender, mail.machine_sign, judge(mail).asks) == (sender, None, asks)
    assert mail.message_id is not None


def test_all_examples_use_reserved_domains_only() -> None:
    for file in EXAMPLES.glob("*.eml"):
        for word in file.read_text().split():
            _, at, domain = word.strip("<>,;.").partition("@")
            assert not at or domain.endswith(".example"), f"{file.name}: {word}"
