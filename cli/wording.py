"""The words for what stands in the way of a step, for agents and operators."""

from workflows.answers import Answer, Problem

_WORDS = {
    Problem.CLOSED: "This reset is closed: {state} since {closed}.",
    Problem.HELD: "This reset is held and waits for a supervisor.",
    Problem.NOT_RELEASABLE: "This reset is not held, or the account has no contact point that could get a code.",
    Problem.WRONG_CODE: "Wrong code; {tries} left.",
    Problem.MALFORMED_CODE: "A code has 8 digits, in a letter 10. This was not counted as a try.",
    Problem.NO_VALID_CODE: "No code is valid: it ran out or its tries are used up. Send one: `keyturn reset resend`.",
    Problem.WRONG_LINK: "This link is no longer valid.",
    Problem.ALREADY_PROVEN: "This step is done already; the reset is {state}.",
    Problem.CODE_FIRST: "The code comes first.",
    Problem.WRONG_PASSPHRASE: "Wrong passphrase; {tries} left.",
    Problem.NO_PASSPHRASE: "No passphrase is set for this account.",
    Problem.TOO_SOON: "Too soon: the code can be sent again at {next}.",
    Problem.NO_MORE_SENDS: "The code cannot be sent again in this reset.",
}


def word(answer: Answer) -> str:
    """One line that says what stands in the way."""
    assert answer.problem is not None  # noqa: S101 - only asked where there is one
    tries = f"{answer.tries_left} tries" if answer.tries_left != 1 else "1 try"
    return _WORDS[answer.problem].format(
        state=answer.state.replace("_", " "),
        closed=f"{answer.closed_at:%Y-%m-%d %H:%M} UTC" if answer.closed_at else "",
        tries=tries,
        next=f"{answer.next_at:%Y-%m-%d %H:%M} UTC" if answer.next_at else "",
    )
