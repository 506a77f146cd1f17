"""The outside of an e-mail, the same in the sandbox and over SendGrid: sender, reply address and headers."""

import re
from dataclasses import dataclass

from notifiers.contract import OutgoingMessage
from notifiers.phrases import one_line
from policy.vocabulary import MessageKind

# RFC 5322 §3.6.4; what a stranger's mail calls its Message-ID goes into a header of ours only in this shape.
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,300}@[!-;=?-~]{1,300}>")


@dataclass(frozen=True, slots=True)
class Envelope:
    """`sender` is shown as `sender_name`; without a `reply_to` answers go to the sender; `headers` are the others."""

    sender: str
    sender_name: str
    reply_to: str
    headers: dict[str, str]


def envelope(message: OutgoingMessage, sender: str) -> Envelope:
    """The envelope of `message`, sent from the address `sender`; the same each time it is sent."""
    brand = message.brand
    reply_to = message.reply_to or one_line(brand.support_email)
    return Envelope(sender, one_line(brand.name), reply_to, _headers(message, sender))


def _headers(message: OutgoingMessage, sender: str) -> dict[str, str]:
    answers = message.kind is MessageKind.INBOX_ANSWER
    headers = {
        # A second copy, sent because the first one's fate was unknown, has the same id: most mailboxes show it once.
        "Message-ID": f"<{message.thread or message.id}@{sender.rpartition('@')[2]}>",
        # RFC 3834 §5: an automatic answer, or a mail that nobody's mail brought about. Neither is to be answered.
        "Auto-Submitted": "auto-replied" if answers else "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    if message.in_reply_to and _MESSAGE_ID.fullmatch(message.in_reply_to):
        headers |= {"In-Reply-To": message.in_reply_to, "References": message.in_reply_to}
    return headers
