"""What is quoted, forwarded or signed with is not what the writer says."""

import pytest

from inbox.quoting import own_subject, own_words


@pytest.mark.parametrize(
    "foreign",
    [
        "> quoted",
        "On Mon, 9 Nov 2026 at 10:00, Support <support@x.example> wrote:\n> quoted\n> more",
        "On Mon, 9 Nov 2026 at 10:00, Northfold Support\n<support@x.example> wrote:\n\n> quoted",
        "On Monday Support wrote:\nquoted without a mark",
        "-----Original Message-----\nquoted",
        "----- Forwarded message from Jo -----\nquoted",
        "---------- Forwarded message ---------\nFrom: Jo\nquoted",
        "Begin forwarded message:\n\nquoted",
        "________________________________\nFrom: Jo\nquoted",
        "From: Jo <jo@x.example>\nSent: Monday\nTo: Dana\n\nquoted",
        "*From:* Jo\n*Date:* Monday\n\nquoted",
        "-- \nquoted",
        "--\nquoted",
        "Sent from my iPhone",
        "Get Outlook for Android",
        "Am Mo., 9. Nov. 2026 um 10:00 Uhr schrieb Support <support@x.example>:\n> zitiert",
        "Am 9.11.2026 um 10:00 schrieb Nordwerk Support:\nzitiert ohne Zeichen",
        "Support <support@x.example> schrieb am Mo. 9. Nov. 2026 um 10:00:\n> zitiert",
        "El lun, 9 nov 2026 a las 10:00, Soporte (<support@x.example>) escribió:\n> citado",
        "Le lun. 9 nov. 2026 à 10:00, Support <support@x.example> a écrit :\n> cité",
        "Em seg., 9 de nov. de 2026 às 10:00, Suporte <support@x.example> escreveu:\n> citado",
        "9 ноября 2026 г., 10:00, Support <support@x.example> пишет:\n> цитата",
        "пн, 9 нояб. 2026 г. в 10:00, Support <support@x.example>:\n> цитата",
        "Support <support@x.example> 于2026年11月9日周一 10:00写道：\n> 引用",
        "在 2026年11月9日，10:00，Support <support@x.example> 写道：\n> 引用",
        "2026年11月9日(月) 10:00 Support <support@x.example>:\n> 引用",
        "2026/11/09 10:00、サポート <support@x.example>のメール:\n> 引用",
        "-----Ursprüngliche Nachricht-----\nzitiert",
        "-------- Weitergeleitete Nachricht --------\nBetreff: x",
        "-----Mensaje original-----\ncitado",
        "-----Message d'origine-----\ncité",
        "-----Mensagem original-----\ncitado",
        "-------- Исходное сообщение --------\nцитата",
        "------------------ 原始邮件 ------------------\n引用",
        "-----元のメッセージ-----\n引用",
        "Anfang der weitergeleiteten Nachricht:\n\nzitiert",
        "Début du message transféré :\n\ncité",
        "Von: Jo <jo@x.example>\nGesendet: Montag\n\nzitiert",
        "De : Jo\nEnvoyé : lundi\n\ncité",
        "De: Jo\nEnviado el: lunes\n\ncitado",
        "De: Jo\nEnviada em: segunda\n\ncitado",
        "От: Jo\nОтправлено: понедельник\n\nцитата",
        "发件人: Jo\n发送时间: 星期一\n\n引用",
        "寄件者: Jo\n日期: 星期一\n\n引用",
        "差出人: Jo\n送信日時: 月曜日\n\n引用",
        "Von meinem iPhone gesendet",
        "Gesendet mit der Telekom Mail App",
        "Enviado desde mi iPhone",
        "Envoyé de mon iPhone",
        "Enviado do meu iPhone",
        "Отправлено с iPhone",
        "发自我的iPhone",
        "從我的 iPhone 傳送",
        "iPhoneから送信",
    ],
)
def test_what_others_said_is_cut(foreign: str) -> None:
    assert own_words(f"my words\n\n{foreign}") == "my words"


def test_an_answer_below_marked_lines_is_kept() -> None:
    text = "On Monday, Support wrote:\n> Which account is it?\n\nThe pottery one.\n\n> And the phone?\nLost."
    assert own_words(text).split() == ["The", "pottery", "one.", "Lost."]


@pytest.mark.parametrize(
    "text",
    [
        "On Monday I lost my phone.\nMy wife wrote down the number.",
        "The parcel is from: Berlin\nand it is late",
        "I sent from my account a mail - see there",
        "Am Montag habe ich mein Handy verloren.\nMeine Frau schrieb mir die Nummer auf.",
        "Le 9 novembre j'ai perdu mon portable.",
        "Мне пишет: войти нельзя",
        "手机坏了，系统提示:",
        "スマホから送信できません。ログインもできません。",
        "a -- b",
        "---",
    ],
)
def test_what_only_looks_a_little_like_it_is_kept(text: str) -> None:
    assert own_words(text) == text


@pytest.mark.parametrize(
    "subject",
    [
        *("Re: lost phone", "RE:lost phone", "AW: lost phone", "Fwd: lost phone", "Re[2]: x"),
        *("RV: perdido", "TR : perdu", "ENC: perdido", "RES: perdido", "Отв: телефон"),
        *("回复: 手机", "回复：手机", "答复：手机", "返信: スマホ", "Re：手机"),
    ],
)
def test_the_subject_of_an_answer_is_somebody_else_s(subject: str) -> None:
    assert own_subject(subject) == ""


@pytest.mark.parametrize("subject", ["Lost phone", "Reset my 2FA", "Question: lost phone", ""])
def test_a_subject_of_one_s_own_is_kept(subject: str) -> None:
    assert own_subject(subject) == subject


@pytest.mark.parametrize(
    "scrap",
    [
        "On x\n",
        "On " + "w " * 98 + "\n",
        "- ",
        "from: x\n",
        "> \n",
        "\n",
        " \t",
        "_",
        "Sent from ",
        "9 < ",
        "2026年 ",
        "Am 9 schrieb ",
    ],
)
def test_no_text_takes_long(scrap: str) -> None:
    assert len(own_words(scrap * (100_000 // len(scrap)))) <= 100_000
