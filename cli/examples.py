"""Where the sample accounts and mails lie: beside the packages, in a checkout."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
