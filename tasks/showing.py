"""A held mail as an agent sees it: what it says, without codes, passphrases and addresses, and why it is held."""

from dataclasses import dataclass, field
from uuid import UUID

from inbox.hiding import shown
from inbox.packages import Source, opened
from inbox.reader import read_and_judge
from inbox.reading import Unreadable
from workflows import views
from workflows.held import passphrase_hashes
from workflows.installation import Installation
from workflows.passphrases import passphrase_matches
from workflows.views import MailView


@dataclass(frozen=True, slots=True)
class ShownMail:
    """`about` is what is known of the mail; `subject` and `text` are None where it cannot be read or was erased.

    `sender` is the whole address, and `accounts` are the refs of those that it belongs to.
    """

    about: MailView
    sender: str | None = field(repr=False)
    accounts: tuple[str, ...]
    subject: str | None = field(repr=False)
    text: str | None = field(repr=False)


def show(installation: Installation, mail_id: UUID) -> ShownMail:
    """The mail, for a person. Raises `UnknownMail`."""
    about, stored = views.mail_view(installation, mail_id)
    sender, accounts = views.sender_of(installation, mail_id)
    try:
        mail = read_and_judge(opened(Source(stored.source), stored.raw).raw).mail
    except Unreadable:
        return ShownMail(about, sender, accounts, None, None)
    hashes = passphrase_hashes(installation, mail_id)

    def is_passphrase(line: str) -> bool:
        return any(passphrase_matches(line, each) for each in hashes)

    return ShownMail(about, sender, accounts, shown(mail.subject, is_passphrase), shown(mail.text, is_passphrase))
