"""What the writer of a mail says in it, without what they quote, forward and sign with.

Simple on purpose: where it is not clear whose words these are, they are left out, and a person looks at the mail. The
lines are those that common mail programs write in the languages of `inbox.languages`.
"""

import re

# "On 9 November 2026, Jo <jo@x.example> wrote:" may go on in a second line. Where such a line does not begin with a
# word of its own, a digit must stand in it, as in every date.
_ATTRIBUTION = re.compile(
    r"""^(?:
        (?: On\b | Am\b | El\b | Le\b | Em\b | A\b | No\b ) [^\n]{5,200} (?: \n[^\n]{1,200} )?
            \b (?: wrote | schrieb\b [^\n:]{0,100} | escribió | a[ ]écrit | escreveu )
      | (?= [^\n\d]{0,150} \d ) [^\n]{5,200} (?: \n[^\n]{1,200} )?
            (?: \b пишет | \b писал(?:а|\(а\))? | \b написал(?:а|\(а\))? | \b schrieb[ ]am\b [^\n]{5,60}
              | 写道 | 寫道 | 写到 | のメール | のメッセージ | 書きました | <[^\s<>]{3,150}> )
      | \d{4}年 [^\n]{5,200}
    ) [ \t\xa0]? [:：] [ \t]*$ \n?""",
    re.MULTILINE | re.VERBOSE,
)
_QUOTE_FOLLOWS = re.compile(r"\s*>")

_ORIGINAL = (
    r"original message|forwarded (?:message|by)\b|ursprüngliche nachricht|originalnachricht|weitergeleitete nachricht"
    r"|mensaje original|mensaje reenviado|message d['’]origine|message original|message transféré|message initial"
    r"|mensagem original|mensagem (?:re)?encaminhada|исходное сообщение|(?:пересылаемое|пересланное) сообщение"
    r"|原始邮件|原始郵件|原邮件|转发(?:的)?邮件|轉寄(?:的)?郵件|元のメッセージ|転送メッセージ|転送されたメッセージ"
)
_FORWARDED = (
    r"begin forwarded message|anfang der weitergeleiteten (?:nachricht|e-mail)|inicio del mensaje reenviado"
    r"|début du message (?:transféré|réexpédié)|início da mensagem (?:reencaminhada|encaminhada)"
    r"|начало (?:переадресованного|пересылаемого) сообщения|开始转发的(?:信息|邮件)|下面是被转发的邮件"
    r"|以下是轉寄的郵件|開始轉寄郵件|転送されたメッセージ|以下に転送(?:された|します)[^\n]{0,20}"
)
_FROM = r"from|von|de|от|от кого|发件人|寄件人|寄件者|差出人|送信者"
_SENT = (
    r"sent|date|to|gesendet|datum|an|enviado(?: el| em)?|enviada(?: em)?|fecha|para|envoyé|à|data|отправлено|дата|кому"
    r"|发送时间|發送時間|发送日期|日期|时间|時間|收件人|收件者|送信日時|日時|宛先"
)
# Below such a line everything is the mail that was answered or forwarded, or the signature.
_FOREIGN_BELOW = re.compile(
    rf"^[ \t]*(?:--[ \t]*"
    rf"|-{{2,}}[ \t]*(?:{_ORIGINAL})[^\n]{{0,100}}"
    rf"|(?:{_FORWARDED})[ \t\xa0]?[:：]"
    rf"|_{{20,}}"
    rf"|\*?(?:{_FROM})[ \t\xa0]?[:：]\*?[^\n]+\n[ \t]*\*?(?:{_SENT})[ \t\xa0]?[:：][^\n]*)[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
# "Sent from my iPhone" must not make the phone a subject of the mail.
_ADVERTISEMENT = re.compile(
    r"^[ \t]*(?:(?:sent from|get outlook for|von mein\w{1,2} [^\n]{1,30} gesendet|gesendet (?:von|mit)"
    r"|enviado (?:desde|do|da|de|a partir)|obtener outlook|obter o outlook|envoyé (?:de|depuis|à partir)"
    r"|obtenez outlook|télécharge[rz] outlook|отправлено (?:с|из)\b|скачать outlook|получите outlook"
    r"|发自|發自|从我的|從我的|获取 ?outlook|取得 ?outlook|holen sie sich outlook)[^\n]{0,60}"
    r"|[^\n]{1,40}(?:から送信|より送信|を入手)[^\n]{0,10})$",
    re.MULTILINE | re.IGNORECASE,
)
_QUOTED_LINE = re.compile(r"^[ \t]*>[^\n]*$", re.MULTILINE)
_ANSWER = re.compile(
    r"\s*(?:re|aw|antw|sv|fw|fwd|wg|rv|tr|enc|res|отв|ответ|пер|回复|回復|回覆|答复|答覆|转发|轉寄|轉發|返信|転送)"
    r"\s*(?:\[\d+\])?[:：]",
    re.IGNORECASE,
)


def own_words(text: str) -> str:
    """Return the part of a mail's text that its writer wrote for this mail."""
    text = _ATTRIBUTION.sub(_keep_if_quote_follows, text)
    foreign = _FOREIGN_BELOW.search(text)
    text = text[: foreign.start()] if foreign else text
    return _ADVERTISEMENT.sub("", _QUOTED_LINE.sub("", text)).strip()


def own_subject(subject: str) -> str:
    """Return the subject, or nothing for an answer or a forwarded mail, whose subject somebody else chose."""
    return "" if _ANSWER.match(subject) else subject


def _keep_if_quote_follows(attribution: re.Match[str]) -> str:
    # An answer may stand below lines that are marked as quoted; unmarked, nobody can tell the two apart.
    return "\n" if _QUOTE_FOLLOWS.match(attribution.string, attribution.end()) else "\n--\n"
