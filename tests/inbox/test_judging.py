"""What a mail asks: mails as people write them, in two files by their judgement, and what holds for all of them."""

from pathlib import Path

import pytest

from inbox.finding import lexicon, plain, words_of
from inbox.flags import Flag
from inbox.hearing import LANGUAGES
from inbox.judging import Ask, judge
from inbox.phrases import Phrases, Table
from inbox.reading import Mail


def mail(subject: str, text: str, machine_sign: str | None = None) -> Mail:
    return Mail(
        sender="dana@whitfield-pottery.example",
        sender_problem=None,
        subject=subject,
        text=text,
        message_id=None,
        machine_sign=machine_sign,
    )


TEXTS = Path(__file__).parent / "texts"


def texts(file: str) -> list[tuple[str, str]]:
    """The (subject, text) pairs of a file; its first block says what it holds."""
    _, *blocks = (TEXTS / file).read_text(encoding="utf-8").split("\n=====\n")
    pairs = [block.split("\n", 1) for block in blocks]
    return [(subject.removeprefix("Subject:").strip(), text) for subject, text in pairs]


@pytest.mark.parametrize(("subject", "text"), texts("reset.txt"))
def test_a_lost_factor_or_a_wish_for_its_reset_is_a_reset(subject: str, text: str) -> None:
    judgement = judge(mail(subject, text))
    assert judgement.asks is Ask.RESET, judgement.reasons


@pytest.mark.parametrize(("subject", "text"), texts("something_else.txt"))
def test_everything_else_is_left_to_a_person(subject: str, text: str) -> None:
    judgement = judge(mail(subject, text))
    assert not judgement.opens, judgement.reasons


def test_the_reasons_are_the_phrases_that_decided() -> None:
    assert judge(mail("", "I lost my phone, can't sign in")).reasons == ("lost … phone", "can not sign in")
    assert judge(mail("", "I lost my YubiKey. Never mind, I found it.")).reasons == ("lost … yubikey", "never mind")


def test_no_text_of_the_sender_reaches_the_reasons() -> None:
    theirs = "r-aaaa-aaaa 12345678 dana@whitfield-pottery.example"
    for text in (f"I lost my phone {theirs} and 2FA", f"{theirs} found it", theirs):
        assert not any(part in str(judge(mail(theirs, text)).reasons) for part in theirs.split())


def test_a_machine_s_mail_is_automatic_whatever_it_says() -> None:
    judgement = judge(mail("Lost phone", "I lost my phone and can't log in", machine_sign="Auto-Submitted says so"))
    assert (judgement.asks, judgement.reasons) == (Ask.AUTOMATIC, ("Auto-Submitted says so",))


@pytest.mark.parametrize(
    "word",
    [
        *("lost my phone ", "not ", "if i ", "2fa reset, ", "can't log in lost ", "\N{SNOWMAN}", "phone lost ", ","),
        *(
            "handy komme nicht ",
            "setz ",
            "потерял телефон ",
            "手机丢了",
            "手机",
            "没",
            "スマホ紛失",
            "ていません",
            "a@b.example ",
        ),
    ],
)
def test_a_text_without_an_end_gets_a_judgement_too(word: str) -> None:
    assert judge(mail(word * 100, word * 100_000)).asks is not Ask.AUTOMATIC


@pytest.mark.parametrize("phrases", LANGUAGES, ids=lambda phrases: phrases.name)
def test_every_phrase_can_be_found(phrases: Phrases) -> None:
    """One with a short form or a sign in it would match nothing that is made of a text."""
    for name in Phrases.__slots__:
        table = getattr(phrases, name)
        for phrase in table.phrases if isinstance(table, Table) else ():
            found = lexicon(phrases).find(words_of(plain(phrase.replace("*", "").replace("…", ""))))
            assert found[table], (name, phrase)


@pytest.mark.parametrize("phrases", LANGUAGES, ids=lambda phrases: phrases.name)
def test_no_stem_is_so_short_that_it_finds_any_word(phrases: Phrases) -> None:
    """Phrases are looked up by three letters of their first word, so a shorter stem would be overlooked."""
    for name in Phrases.__slots__:
        table = getattr(phrases, name)
        for phrase in table.phrases if isinstance(table, Table) else ():
            assert all(len(word) > 3 for word in phrase.split() if word.endswith("*")), (name, phrase)


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("I lost my phone and can't log in. Send the code to my new number.", Flag.CONTACT_CHANGE),
        ("Handy weg, bitte 2FA zurücksetzen und den Code an meine neue Nummer schicken.", Flag.CONTACT_CHANGE),
        ("Perdí el móvil, reseteen el 2FA y cambien mi correo.", Flag.CONTACT_CHANGE),
        ("Téléphone volé, réinitialisez la 2FA. Je veux aussi changer mon adresse mail.", Flag.CONTACT_CHANGE),
        ("Perdi o celular, resetem o 2FA e alterem meu e-mail.", Flag.CONTACT_CHANGE),
        ("Потерял телефон, сбросьте 2FA, код пришлите на новый номер.", Flag.CONTACT_CHANGE),
        ("手机丢了，请重置2FA，验证码发到这个邮箱。", Flag.CONTACT_CHANGE),
        ("スマホを紛失しました。2FAをリセットし、メールアドレスを変更してください。", Flag.CONTACT_CHANGE),
        ("I lost the YubiKey for account 88213.", Flag.OTHER_ACCOUNT),
        ("I lost my YubiKey. Customer no. A-99.", Flag.OTHER_ACCOUNT),
        ("YubiKey verloren, Kundennummer: 12345", Flag.OTHER_ACCOUNT),
        ("Perdí mi YubiKey, número de cliente 5512", Flag.OTHER_ACCOUNT),
        ("J'ai perdu ma YubiKey, numéro client : 5512", Flag.OTHER_ACCOUNT),
        ("Perdi minha YubiKey, número do cliente 5512", Flag.OTHER_ACCOUNT),
        ("Потерял YubiKey, номер договора 551234", Flag.OTHER_ACCOUNT),
        ("YubiKey丢了，客户编号是88213", Flag.OTHER_ACCOUNT),
        ("YubiKeyを紛失しました。お客様番号は88213です。", Flag.OTHER_ACCOUNT),
        ("I lost my YubiKey, the account is ruth@calloway-bees.example.", Flag.OTHER_ADDRESS),
    ],
)
def test_what_a_person_must_look_at_is_flagged_and_opens_nothing(text: str, flag: Flag) -> None:
    judgement = judge(mail("", text))
    assert (judgement.asks, flag in judgement.flags, judgement.opens) == (Ask.RESET, True, False), judgement


@pytest.mark.parametrize(
    "text",
    [
        "I lost my phone and can't log in. I write from Dana@Whitfield-Pottery.example, as always.",
        "I am locked out of my account 24 hours now, my phone was stolen.",
        "My account 2FA is lost with my phone, in 2026 of all years.",
        "Please do not change my email. I lost my phone and can't log in.",
    ],
)
def test_what_names_nobody_else_is_not_flagged(text: str) -> None:
    assert judge(mail("", text)).flags == ()


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Automatic reply: your reset", ""),
        ("Hello", "I am out of the office until Monday."),
        ("Automatische Antwort: Handy verloren", "Vielen Dank für Ihre Nachricht."),
        ("Abwesenheitsnotiz", ""),
        ("AW: Reset", "Ich bin bis zum 14.8. im Urlaub und lese keine Mails."),
        ("Réponse automatique : absence", ""),
        ("Bonjour", "Je suis absente du bureau et serai de retour le 12."),
        ("Respuesta automática: consulta", ""),
        ("Hola", "Estaré fuera de la oficina hasta el lunes."),
        ("Resposta automática: pedido", ""),
        ("Olá", "Estou de férias até dia 12."),
        ("Автоответ", ""),
        ("Привет", "Я в отпуске до понедельника."),
        ("自动回复：您好", ""),
        ("您好", "我正在休假，回来后尽快答复。"),
        ("自動返信", ""),
        ("お知らせ", "休暇中のため、戻り次第ご連絡いたします。"),
    ],
)
def test_a_machine_is_known_by_its_words_too(subject: str, text: str) -> None:
    judgement = judge(mail(subject, text))
    assert judgement.asks is Ask.AUTOMATIC, judgement
    assert judgement.reasons


def test_somebody_out_of_office_who_has_lost_a_phone_is_left_to_a_person() -> None:
    judgement = judge(mail("", "I am out of the office until Monday. My phone was stolen and I can't log in."))
    assert judgement.asks is Ask.UNSURE


def test_a_doubt_in_any_language_wins() -> None:
    assert judge(mail("", "Ich habe mein Handy mit dem Authenticator verloren.")).opens
    judgement = judge(mail("", "Ich habe mein Handy mit dem Authenticator verloren. Never mind, I found it!"))
    assert (judgement.asks, judgement.opens) == (Ask.UNSURE, False)
    assert not judge(mail("", "Não perdi meu celular nem o autenticador")).opens
