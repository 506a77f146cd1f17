"""What a mail asks: short mails that are, or only look like, requests, and what holds for all mails."""

import tomllib
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


SENTENCES = Path(__file__).parent / "texts" / "learned" / "english_sentences.toml"


def texts(*, ask_for_a_reset: bool) -> list[tuple[str, str]]:
    """The (subject, text) pairs of the short mails that do, or do not."""
    rows = tomllib.loads(SENTENCES.read_text(encoding="utf-8"))["text"]
    return [(row["subject"], row["text"]) for row in rows if (row["class"] == "reset") is ask_for_a_reset]


@pytest.mark.parametrize(("subject", "text"), texts(ask_for_a_reset=True))
def test_a_lost_factor_or_a_wish_for_its_reset_is_a_reset(subject: str, text: str) -> None:
    judgement = judge(mail(subject, text))
    assert judgement.asks is Ask.RESET, judgement.reasons


@pytest.mark.parametrize(("subject", "text"), texts(ask_for_a_reset=False))
def test_everything_else_is_left_to_a_person(subject: str, text: str) -> None:
    judgement = judge(mail(subject, text))
    assert not judgement.opens, judgement.reasons


def test_the_reasons_are_what_weighed_most_on_either_side() -> None:
    request = judge(mail("", "I lost my phone with the authenticator, can't sign in. Please reset it."))
    assert "lost … authenticator" in request.reasons, request
    doubtful = judge(mail("", "My colleague lost her phone with the authenticator, please reset her 2FA."))
    assert "please … 2fa" in doubtful.reasons, doubtful
    assert "but: my colleague" in doubtful.reasons, doubtful
    other = judge(mail("", "Where is my invoice?"))
    assert "invoice" in other.reasons, other


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
        ("I lost my YubiKey, the account is ruth@calloway-bees.example.", Flag.OTHER_ADDRESS),
    ],
)
def test_what_a_person_must_look_at_is_flagged_and_opens_nothing(text: str, flag: Flag) -> None:
    judgement = judge(mail("", text))
    assert (flag in judgement.flags, judgement.opens) == (True, False), judgement


@pytest.mark.parametrize(
    ("more", "flag"),
    [
        ("Send the code to my new number.", Flag.CONTACT_CHANGE),
        ("My account is ruth@calloway-bees.example.", Flag.OTHER_ADDRESS),
    ],
)
def test_a_flag_alone_keeps_a_request_from_opening(more: str, flag: Flag) -> None:
    asked = "Please reset my 2FA, I lost my phone and can't log in."
    assert judge(mail("", asked)).opens
    judgement = judge(mail("", f"{asked} {more}"))
    assert (judgement.asks, judgement.flags, judgement.opens) == (Ask.RESET, (flag,), False), judgement


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("I lost the YubiKey for account 88213.", "88213"),
        ("I lost my YubiKey. Customer no. A-99.", "a99"),
        ("I lost my YubiKey. Customer no. D-40718.", "d40718"),
        ("I lost my YubiKey, account AB 40718.", "ab40718"),
        ("I lost my YubiKey, account C-40-718.", "c40718"),
        ("I lost my YubiKey. My customer number is 40 718", "40718"),
        ("account 88213 2FA reset", "88213"),
        ("O meu número de cliente é 5512", "5512"),
        ("YubiKey verloren, Kundennummer: 12345", "12345"),
        ("Perdí mi YubiKey, número de cliente 5512", "5512"),
        ("J'ai perdu ma YubiKey, numéro client : 5512", "5512"),
        ("Perdi minha YubiKey, número do cliente 5512", "5512"),
        ("Потерял YubiKey, номер договора 551234", "551234"),
        ("YubiKey丢了，客户编号是88213", "88213"),
        ("YubiKeyを紛失しました。お客様番号は88213です。", "88213"),
    ],
)
def test_the_number_of_an_account_is_told_with_its_letters_and_in_one_piece(text: str, number: str) -> None:
    assert judge(mail("", text)).accounts == (number,)


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
    judgement = judge(mail("", text))
    assert (judgement.flags, judgement.accounts) == ((), ())


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


@pytest.mark.parametrize(
    ("request_", "taken_back"),
    [
        ("I lost my phone and can't log in, please reset my 2FA.", "Never mind, I found it, all good!"),
        ("Perdí mi teléfono y no puedo entrar, por favor reseteen el 2FA.", "Olvídenlo, ya lo encontré."),
        ("J'ai perdu mon téléphone, je ne peux plus me connecter.", "C'est bon, je l'ai retrouvé, merci."),
        ("Ich habe mein Handy verloren und komme nicht mehr rein.", "Hat sich erledigt, habe es wieder gefunden."),
        ("Perdi meu celular e não consigo entrar.", "Deixa pra lá, já encontrei."),
        ("Потерял телефон, не могу войти.", "Уже не надо, телефон нашёлся, всё работает."),
        ("手机丢了，登录不了。", "不用了，手机找到了。"),
        (
            "スマホを紛失し、認証アプリのコードが出せません。ログインできないのでリセットをお願いします。",
            "スマホは見つかりました。もう大丈夫です。",
        ),
    ],
)
def test_a_request_that_is_taken_back_opens_nothing(request_: str, taken_back: str) -> None:
    before, after = judge(mail("", request_)), judge(mail("", f"{request_}\n\n{taken_back}"))
    assert (before.opens, after.opens) == (True, False), (before, after)


@pytest.mark.parametrize(
    "text",
    [
        "I always forget my backup codes, and now my phone with the authenticator is gone. Please reset my 2FA.",
        "My phone with the authenticator was stolen, I no longer need the old key. Please reset my 2FA.",
        "I found my laptop but not the phone with the authenticator. Can't log in, please reset my 2FA.",
    ],
)
def test_what_only_sounds_like_taking_it_back_opens(text: str) -> None:
    judgement = judge(mail("", text))
    assert judgement.opens, judgement
