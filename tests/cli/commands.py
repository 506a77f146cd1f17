"""`keyturn` as a process of its own, run to its end."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
KEYTURN = (sys.executable, "-m", "cli.main")


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended: its exit status and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """What it answered with `--json`; it must have succeeded."""
        assert (self.status, self.err) == (0, ""), self.out + self.err
        return json.loads(self.out)

    @property
    def refusal(self) -> str:
        """Why it refused: on standard error alone, and never a traceback."""
        assert (self.status, self.out) == (1, ""), self
        assert "Traceback" not in self.err
        return self.err.removesuffix("\n")

    @property
    def one_line(self) -> str:
        """Why it refused, in a single line."""
        assert len(self.refusal.splitlines()) == 1, self.refusal
        return self.refusal


@dataclass(frozen=True, slots=True)
class Commands:
    """The commands of one installation in demo mode; `env` sets or changes variables."""

    data_dir: Path
    env: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: object, stdin: str = "", **env: str) -> Done:
        """Runs `keyturn` with these arguments; `env` holds for this call."""
        return run((*KEYTURN, *map(str, arguments)), self.variables | env, stdin)

    @property
    def variables(self) -> dict[str, str]:
        return {"KEYTURN_DATA_DIR": str(self.data_dir), "KEYTURN_MODE": "demo"} | self.env


def run(command: Sequence[str], env: dict[str, str], stdin: str = "") -> Done:
    """Runs a command to its end, and until all that it started has ended too: they share its output."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | env,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    return Done(done.returncode, done.stdout, done.stderr)
