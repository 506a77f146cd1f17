"""Every word that is sent can be translated: under a translation of brackets, only values stand outside of them."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest

from cli import catalogue as template
from cli.catalogue import Text
from foundation import catalogue
from foundation.settings import Settings
from notifiers import phrases, texts, twiml
from notifiers.contract import AskedThrough, OutgoingMessage
from policy.vocabulary import Change, Channel, MessageKind
from tests import translations
from tests.notifiers.samples import BRAND, CANCEL_LINK, CODES, ENROLMENT_LINK, HOME, LINK, NAME, NOW, REFERENCE, message

Translate = Callable[[Mapping[Text, tuple[str, ...]]], None]

EVERY = [(channel, kind) for channel, kinds in texts.WRITTEN.items() for kind in sorted(kinds)]
BRANDS = [
    BRAND,
    replace(BRAND, support_phone=""),
    replace(BRAND, support_email=""),
    replace(BRAND, support_phone="", support_email=""),
]
VALUES = [
    *(LINK, ENROLMENT_LINK, CANCEL_LINK, REFERENCE, NAME),
    *(BRAND.name, BRAND.support_email, BRAND.url),
    *(HOME.name, HOME.line1, HOME.line2, HOME.city, HOME.state),
    "reset.hosting.example",
]
# As a call says them: the parts of the address, and the letters of the reference.
SPOKEN = {"reset", "hosting", "example", *REFERENCE.replace("-", "")}


@pytest.fixture
def translate(tmp_path: Path) -> Iterator[Translate]:
    """Lets these translations be this process's until the test is over."""

    def set_up(chosen: Mapping[Text, tuple[str, ...]]) -> None:
        catalogue.set_up(Settings(texts_file=translations.write(tmp_path / "texts.mo", chosen)))

    yield set_up
    catalogue.set_up(Settings())


@pytest.fixture
def bracketed(translate: Translate) -> None:
    """All texts in brackets."""
    translate(translations.each(template.texts(), translations.bracketed))


def parts(channel: Channel, sent: OutgoingMessage) -> list[str]:
    """What the recipient reads or hears, each as one text without markup."""
    match channel:
        case Channel.EMAIL:
            mail = texts.email(sent)
            return [mail.subject, mail.text, readable(mail.html)]
        case Channel.SMS:
            return [texts.sms(sent, NOW)]
        case Channel.VOICE:
            script = texts.voice(sent, NOW)
            return [line.words for line in (*script.before_key, *script.after_key)]
        case _:
            return [readable(texts.letter(sent, HOME))]


def readable(page: str) -> str:
    return unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL))


def untranslated(text: str) -> set[str]:
    """The words of the text that are neither in brackets nor values."""
    text = re.sub("⟦[^⟦⟧]*⟧", " ", " ".join(text.split()))
    for value in VALUES:
        text = text.replace(value, " ")
    return set(re.findall(r"[^\W\d_]+", text))


def variants(channel: Channel, kind: MessageKind) -> Iterator[OutgoingMessage]:
    """The message with and without whatever its words depend on."""
    for brand in BRANDS:
        yield message(kind, channel, brand=brand)
    for through in (None, *AskedThrough):
        yield message(kind, channel, asked_through=through)
    yield message(kind, channel, customer_name=None, cancel_link=None)
    if kind in CODES:
        yield message(kind, channel, valid_until=NOW + timedelta(minutes=1))
    if kind is MessageKind.NOTICE_CHANGED:
        yield from (message(kind, channel, change=change) for change in Change)
    if kind is MessageKind.CONTACT_CODE:
        yield message(kind, channel, brand=replace(BRAND, url=""))


@pytest.mark.usefixtures("bracketed")
@pytest.mark.parametrize(("channel", "kind"), EVERY)
def test_no_word_is_left_in_english(channel: Channel, kind: MessageKind) -> None:
    allowed = SPOKEN if channel is Channel.VOICE else set()
    left = [untranslated(part) - allowed for sent in variants(channel, kind) for part in parts(channel, sent)]

    assert left == [set()] * len(left)


@pytest.mark.parametrize(("channel", "kind"), EVERY)
def test_without_a_translation_all_words_are_left_in_english(channel: Channel, kind: MessageKind) -> None:
    assert all("⟦" not in part and untranslated(part) for part in parts(channel, message(kind, channel)) if part)


@pytest.mark.usefixtures("bracketed")
def test_every_day_and_month_is_translated_and_the_figures_stay() -> None:
    days = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(365)]

    for told in (phrases.long_time, phrases.short_time):
        assert not [day for day in days if untranslated(told(day))]
    assert phrases.long_time(NOW) == "⟦Tuesday⟧ 24 ⟦November⟧ 2026, 18:05⟦ UTC⟧"
    assert phrases.short_time(NOW) == "24 ⟦Nov⟧ 18:05⟦ UTC⟧"


@pytest.mark.usefixtures("bracketed")
def test_every_sign_is_spoken_in_translation() -> None:
    letters = "ABCDEFGHJKMNPQRSTVWXYZ"

    assert untranslated(phrases.spoken_code("0123456789")) == set()
    assert untranslated(phrases.spoken_phone("+1 202")) == set()
    assert untranslated(phrases.spoken_reference(f"R-{letters}")) == set(letters)
    assert untranslated(phrases.spoken_address("a.b/c-d:1")) == {"a", "b", "c", "d"}


@pytest.mark.usefixtures("bracketed")
@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.MAIL])
def test_a_page_names_the_language_of_its_words(channel: Channel) -> None:
    sent = message(MessageKind.RESET_CODE, channel)
    page = texts.email(sent).html if channel is Channel.EMAIL else texts.letter(sent, HOME)

    assert '<html lang="⟦en⟧">' in page


@pytest.mark.usefixtures("bracketed")
def test_a_text_message_ends_in_webotp_form_in_any_language() -> None:
    text = texts.sms(message(MessageKind.RESET_CODE, Channel.SMS), NOW)

    assert text.startswith("4821 7306⟦ is your ⟧")
    assert text.endswith("⟧\n@reset.hosting.example #48217306")


@pytest.mark.usefixtures("bracketed")
def test_a_translated_code_is_still_said_word_by_word() -> None:
    script = texts.voice(message(MessageKind.RESET_CODE, Channel.VOICE), NOW)
    slow = [line.words for line in script.after_key if line.slow]

    assert len(slow) == 3
    assert slow[0].startswith("⟦four⟧, ⟦eight⟧, ")
    assert re.findall(r"<Say[^>]*>(\w+)</Say>", twiml.reading(script))[:2] == ["four", "eight"]


def test_a_call_is_spoken_in_the_language_that_the_translation_names(translate: Translate) -> None:
    translate({Text("en-US", context="language of phone calls, as Twilio names it"): ("de-DE",)})
    script = texts.voice(message(MessageKind.RESET_CODE, Channel.VOICE), NOW)

    for spoken in (twiml.greeting(script.before_key, "https://x.example"), twiml.reading(script), twiml.goodbye("x")):
        assert set(re.findall(r'<Say language="([^"]*)"', spoken)) == {"de-DE"}


@pytest.mark.parametrize(("minutes", "said"), [(1, "works for 1 minute."), (2, "works for 2 minutes.")])
def test_one_minute_is_one(minutes: int, said: str) -> None:
    until = NOW + timedelta(minutes=minutes)
    script = texts.voice(message(MessageKind.RESET_CODE, Channel.VOICE, valid_until=until), NOW)

    assert said in "\n".join(line.words for line in script.after_key)


def test_what_the_translation_lacks_stays_english_in_its_place(translate: Translate) -> None:
    missing = "The code that we sent for it no longer works."
    others = {text: files for text, files in template.texts().items() if text.words != missing}
    translate(translations.each(others, translations.bracketed))
    mail = texts.email(message(MessageKind.NOTICE_DENIED))

    assert untranslated(mail.text) == untranslated(readable(mail.html)) == set(re.findall(r"\w+", missing))


def test_a_translation_is_no_markup_and_neither_is_a_name_in_it(translate: Translate) -> None:
    translate({Text("Hello %(name)s."): ('Q&A <b>%(name)s</b> "it\'s".',), Text("If this was not you"): ("<hr>",)})
    mail = texts.email(message(MessageKind.NOTICE_OPENED, customer_name="<i>Eve</i>"))

    assert mail.text.startswith('Q&A <b><i>Eve</i></b> "it\'s". Somebody')
    assert "Q&amp;A &lt;b&gt;&lt;i&gt;Eve&lt;/i&gt;&lt;/b&gt; &#34;it&#39;s&#34;. Somebody" in mail.html
    assert ">&lt;hr&gt;</h2>" in mail.html


def test_a_letters_date_is_bold_in_any_words(translate: Translate) -> None:
    use = next(text for text in template.texts() if text.words.startswith("Use the code in this letter to go on"))
    translate({use: ("<u>Bis %(time)s, bei %(brand)s.",)})
    page = texts.letter(message(MessageKind.RESET_CODE, Channel.MAIL), None)

    assert "&lt;u&gt;Bis <b>Tuesday 24 November 2026, 18:15 UTC</b>, bei Example Hosting." in page
