"""What stands in the way, in a customer's words, and what to do next."""

from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from workflows.answers import Answer, Problem


@dataclass(frozen=True, slots=True)
class Said:
    """One problem as a page tells it, with the HTTP status that goes with it.

    `field` is the input that it is about, where it is about one. `at` is a time that ends the sentence. `new_code`
    says that a button for a new code helps.
    """

    status: int
    text: str
    field: str | None = None
    at: datetime | None = None
    new_code: bool = False


NO_CODE_TYPED = Said(400, "Type the code that we sent you.", "code")
NO_PASSPHRASE_TYPED = Said(400, "Type your reset passphrase.", "passphrase")
UNKNOWN_REFERENCE = Said(
    404,
    "We know no reset with this reference. Check the reference and the code: they stand in the same message.",
    "reference",
)

_WORDS = MappingProxyType(
    {
        Problem.WRONG_CODE: Said(400, "This code is not right.", "code"),
        Problem.MALFORMED_CODE: Said(
            400, "A code has 8 digits, in a letter 10. Check what you typed; it was not counted as a try.", "code"
        ),
        Problem.WRONG_PASSPHRASE: Said(400, "This passphrase is not right.", "passphrase"),
        Problem.NO_VALID_CODE: Said(
            409,
            "No code works at the moment: the last one has run out, its tries are used up, or it is still on its way.",
            new_code=True,
        ),
        Problem.WRONG_LINK: Said(
            404, "This link no longer works. Open the link in the newest message, or type the code that stands in it."
        ),
        Problem.HELD: Said(
            409, "We cannot send a code for this reset before our support has looked at it. Please contact us."
        ),
        Problem.TOO_SOON: Said(429, "We cannot send the code again yet. You can ask for it from"),
        Problem.NO_MORE_SENDS: Said(
            409, "We have sent the code as often as we may. Use the last one that you got, or contact us."
        ),
    }
)


def said(answer: Answer) -> Said:
    """What a page says where `answer.problem` is one that can be told beside a form; `KeyError` where it is not."""
    assert answer.problem is not None  # noqa: S101 - only asked where there is one
    words = _WORDS[answer.problem]
    if answer.tries_left is None:
        return replace(words, at=answer.next_at)
    used_up = answer.problem is Problem.WRONG_CODE and answer.tries_left == 0
    return replace(words, text=f"{words.text} {_tries(answer.tries_left)}", new_code=used_up)


def _tries(left: int) -> str:
    if left == 0:
        return "This was the last try for it: ask for a new code."
    return f"You have {left} tries left." if left > 1 else "You have 1 try left."


@dataclass(frozen=True, slots=True)
class Failure:
    """What an error page says."""

    heading: str
    next_step: str


_FAILURES = MappingProxyType(
    {
        403: Failure("This form came from another page", "Open our page again, and press the button there."),
        404: Failure("There is no such page", "Check the address, or begin with the reference and the code we sent."),
        405: Failure("This page does not work like that", "Begin with the reference and the code that we sent you."),
        413: Failure("That was too long", "Go back, and type only what the page asks for."),
        500: Failure(
            "Something went wrong on our side",
            "Your reset is as it was. Try again in a few minutes; if it happens again, contact us.",
        ),
    }
)
NO_PASS = Failure(
    "This page is for our support",
    "Your link is too old, or you have none. Ask whoever runs Keyturn for one: keyturn inbox page --by YOUR-NAME.",
)
"""What somebody is told who has no pass to held mail."""
_UNREADABLE = Failure("We could not read that", "Go back, and type only what the page asks for.")


def failure(status: int) -> Failure:
    """What the error page with this HTTP status says."""
    return _FAILURES.get(status, _UNREADABLE)
