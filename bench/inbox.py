"""What reading at arm's length costs: mails a second through the kept child, against reading in this process.

    python -m bench.inbox [--mails 2000]

The mails are the examples, over and over; the time is that of one thread that waits for each answer.
"""

import argparse
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path

from inbox.answer import answer_to
from inbox.reader import Reader

_EXAMPLES = Path(__file__).parents[1] / "examples"
_WARM_UP = 50


def main() -> None:
    """Measures both ways and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mails", type=int, default=2_000)
    count = parser.parse_args().mails
    with Reader() as reader:
        through_child = _mails_a_second(reader.read_and_judge, count)
    here = _mails_a_second(answer_to, count)
    print(
        f"{through_child:.0f} mails a second through the child, {here:.0f} in this process: {through_child / here:.2f}"
    )


def _mails_a_second(read: Callable[[bytes], object], count: int) -> float:
    mails = cycle([file.read_bytes() for file in sorted(_EXAMPLES.glob("*.eml"))])
    for raw in islice(mails, _WARM_UP):
        read(raw)
    began = time.perf_counter()
    for raw in islice(mails, count):
        read(raw)
    return count / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
