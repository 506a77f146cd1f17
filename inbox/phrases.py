"""The words that judging looks for, as data: one table a language, for now English.

All are lower case, single words separated by blanks, as `sentences` leaves them: short forms are written out
("can not", "do not"), hyphens are blanks, the genitive's s is gone.
"""

from dataclasses import dataclass
from typing import TypeAlias

Table: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Phrases:
    """The phrases of one language, by what they are for."""

    factors: Table
    """Things that are a second factor and nothing else."""
    protections: Table
    """Names of the protection itself. "2FA is broken" may speak of our pages, "I lost my 2FA" does not."""
    devices: Table
    """Things that may hold a second factor."""
    other_things: frozenset[str]
    """Single words that, between a loss and a thing, change what is lost: "lost the password of my phone"."""
    lost: Table
    """It is out of reach."""
    broken: Table
    """It is there, and of no use."""
    replaced: Table
    """There is a new one; the old one may be at hand."""
    locked_out: Table
    """The writer cannot get in."""
    reset: Table
    """Asks for it, after a word of `asking` or as the first word."""
    take_off: Table
    """The same from somebody who cannot get in; from anybody else it may be a wish to do without."""
    asking: Table
    """Turns a sentence into a request."""
    questions: Table
    """After these, a sentence asks about a reset, or thanks for one."""
    suppositions: Table
    """After these, in the same sentence, nothing has happened yet."""
    negations: Table
    """These deny what follows within a few words."""
    other_people: frozenset[str]
    """Single words that, near a loss, make it somebody else's."""
    doubts: Table
    """Any of these, and a person looks: it is over, it is not our login, somebody else is behind it, an address is to
    change, it is bait."""


_UNABLE = (
    "can not", "can no longer", "could not", "can not even", "can not seem to", "unable to", "not able to",
    "no longer able to", "no way to", "will not let me", "does not let me",
)  # fmt: skip
_ENTER = (
    "log in", "login", "log on", "log into", "sign in", "signin", "sign on", "sign into", "get in", "get into",
    "get back in", "get back into", "get past", "access", "authenticate", "enter the code", "generate",
    "reach my account",
)  # fmt: skip

ENGLISH = Phrases(
    factors=(
        "authenticator", "authenticators", "authentication app", "authy", "2fa app", "otp app", "mfa app", "totp app",
        "yubikey", "yubikeys", "yubi key", "security key", "security keys", "hardware key", "hardware token", "passkey",
        "passkeys", "2fa key", "2fa device", "2fa phone", "mfa device", "mfa token", "second factor",
    ),
    protections=(
        "2fa", "2 fa", "mfa", "2 factor", "2factor", "two factor", "twofactor", "multi factor", "multifactor", "2 step",
        "two step", "second step", "otp", "totp", "one time code", "one time codes", "one time password",
        "one time passwords",
    ),
    devices=(
        "phone", "cellphone", "cell", "mobile", "smartphone", "handset", "iphone", "android", "pixel",
        "galaxy", "tablet", "ipad", "sim", "sim card", "phone number", "mobile number",
    ),
    other_things=frozenset({
        "password", "passwords", "passphrase", "pin", "invoice", "invoices", "domain", "website", "site", "email",
        "emails", "mails", "data", "files", "photos", "contacts", "charger", "case", "cable", "bill", "contract",
        "order", "signal", "line", "support", "page", "phones", "minutes", "hours", "api", "connection",
    }),
    lost=(
        "lost", "misplaced", "mislaid", "stolen", "stole", "gone", "missing", "disappeared", "vanished", "left behind",
        "lost access to", "no longer have", "no longer have access to", "do not have access to", "have no access to",
        "do not have my", "can not find my", "can not access my", "wiped", "erased", "deleted", "uninstalled",
    ),
    broken=(
        "broke", "broken", "smashed", "shattered", "cracked", "snapped", "dead", "died", "destroyed", "damaged",
        "ruined", "drowned", "soaked", "bricked", "fell in", "fell into", "fell out", "dropped", "at the bottom of",
        "through the wash", "stopped working", "no longer works", "no longer work", "does not work any more",
        "does not work anymore", "no longer turns on", "will not turn on", "does not turn on", "will not start",
        "will not boot", "will not switch on", "no longer recognised", "no longer recognized",
    ),
    replaced=(
        "new", "replaced", "replacement", "changed", "switched", "switched to", "upgraded", "upgraded to", "traded in",
        "sold", "gave away", "factory reset", "reinstalled", "restored",
    ),
    locked_out=(
        *(f"{unable} {enter}" for unable in _UNABLE for enter in _ENTER),
        "locked out", "locked me out", "shut out", "no access to my account", "get back in", "get back into",
        "regain access", "restore access", "restore my access", "recover access", "no way in",
    ),
    reset=("reset", "re set"),
    take_off=(
        "remove", "removed", "disable", "disabled", "deactivate", "deactivated", "turn off", "turned off", "switch off",
        "switched off", "take off", "clear", "cleared", "delete", "unlink", "lift",
    ),
    asking=(
        "please", "pls", "plz", "kindly", "can you", "could you", "would you", "will you", "can someone",
        "could someone", "can i get", "can i have", "could i get", "could i have", "may i have", "need", "want",
        "would like", "must", "have to", "request", "requesting", "require", "asking", "help",
    ),
    questions=(
        "how do", "how does", "how can", "how to", "how long", "how much", "how often", "what is", "what does",
        "what are", "do you", "does your", "is there", "is it", "are there", "when will", "why do", "why does",
        "why is", "which", "thank you for", "thanks for", "status of", "still waiting", "guide", "tutorial", "article",
    ),
    suppositions=(
        "if i", "if my", "if we", "if our", "if a", "if an", "if the", "if one", "if it", "if someone", "if somebody",
        "if you lose", "in case", "in the event", "what if", "what happens", "what would happen", "should i",
        "should my", "suppose", "supposing", "imagine", "when i lose", "whenever", "once i", "before i", "worried that",
        "afraid that", "thought i", "thought my", "unless", "a lost", "a stolen", "a broken", "a dead", "any lost",
        "lost or stolen", "one of",
    ),
    negations=("not", "never", "no", "nor", "neither", "without", "nothing", "nobody", "rather than", "instead of"),
    other_people=frozenset({
        "your", "his", "her", "their", "he", "she", "they", "colleague", "coworker", "client", "clients", "employee",
        "employees", "boss", "wife", "husband", "friend", "son", "daughter", "brother", "sister", "father", "mother",
        "them", "users",
    }),
    doubts=(
        "found my", "found it", "found the", "got it back", "turned up", "works again", "working again", "works now",
        "working now", "still works", "never mind", "nevermind", "no longer need", "ignore my", "ignore this",
        "ignore the", "disregard", "cancel my request", "cancel the", "already fixed", "already solved", "solved it",
        "still have my phone", "still have the phone", "still have my yubikey", "have backup codes",
        "have recovery codes", "have my backup codes", "have my recovery codes", "was not me", "did not request",
        "did not ask", "on behalf of", "change my email", "change my e mail", "change the email", "change the e mail",
        "change my address", "change my phone number", "update my email", "update my phone number", "new email",
        "new e mail", "different email", "different e mail", "another email", "another e mail", "different number",
        "another number", "to this number", "to this email", "to this address", "to my new number", "to my new phone",
        "unsubscribe", "click here", "click the link", "click below", "verify your", "confirm your",
        "your account has been", "your account will be", "reset page", "reset link", "reset email", "reset form",
        "reset process", "reset policy", "reset code", "reset fee", "called me", "told me to", "wordpress", "webmail",
        "ftp", "registrar",
    ),
)  # fmt: skip
