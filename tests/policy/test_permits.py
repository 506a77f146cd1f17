"""Permits: only `policy` makes one, and in `policy` only `routing`, after its checks."""

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from policy.permits import ForgedPermit, Permit, _Seal
from policy.routing import permit_answer
from policy.vocabulary import Channel

ROOT = Path(__file__).parents[2]
UNTIL = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
REAL = permit_answer("dana@whitfield.example", UNTIL)

MAKERS = {"grant", "_SEAL", "_Seal"}
"""What of `policy` makes a permit, besides a call of `Permit` itself."""
MAY_MAKE = {"policy/permits.py": {"Permit()"}, "policy/routing.py": {"grant"}}


# --- Forging one


@pytest.mark.parametrize("seal", [None, object(), _Seal(), _Seal, True])
def test_a_permit_with_a_seal_of_ones_own_is_forged(seal: object) -> None:
    with pytest.raises(ForgedPermit, match="only policy makes a Permit"):
        Permit(Channel.EMAIL, "dana@evil.example", "code of a reset case", UNTIL, seal)  # type: ignore[arg-type] # forged


def test_a_real_permit_cannot_be_turned_into_another_one() -> None:
    permit: Any = REAL
    attempts: list[Callable[[], object]] = [
        lambda: replace(permit, destination="dana@evil.example"),
        lambda: replace(permit, destination="dana@evil.example", _seal=None),
        lambda: Permit(Channel.EMAIL, "dana@evil.example", "", UNTIL, permit._seal),
        lambda: setattr(REAL, "destination", "dana@evil.example"),
        lambda: setattr(REAL, "until", UNTIL.replace(year=2099)),
    ]
    for attempt in attempts:
        with pytest.raises((TypeError, ValueError, AttributeError)):  # which of them changes with Python's version
            attempt()
    assert copy.copy(REAL) == REAL


def test_a_permit_does_not_show_where_it_leads() -> None:
    assert "whitfield" not in repr(REAL) + str(REAL)
    assert "answer to an inbound mail" in repr(REAL)


# --- Who makes them


def makers_in(source: str) -> Iterator[str]:
    """Whatever in a source text makes a permit, or takes what makes one out of `policy`."""
    tree = ast.parse(source)
    modules = set(modules_of_policy(tree))
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module), names=names) if module.startswith("policy"):
                yield from {each.name for each in names} & {*MAKERS, "*"}
            case ast.Attribute(value=owner, attr=name) if ast.unparse(owner) in modules and name in MAKERS:
                yield name
            case ast.Constant(value=str(name)) if name in MAKERS:
                yield name
            case ast.Call(func=ast.Name(id="Permit") | ast.Attribute(attr="Permit")):
                yield "Permit()"


def modules_of_policy(tree: ast.Module) -> Iterator[str]:
    """What a source text calls the modules of `policy`."""
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module="policy", names=names):
                yield from (each.asname or each.name for each in names)
            case ast.Import(names=names):
                yield from (each.asname or each.name for each in names if each.name.startswith("policy"))


def product_files() -> list[Path]:
    """The sources of the product: neither tests nor what is installed or built."""
    files = (path.relative_to(ROOT) for path in ROOT.rglob("*.py"))
    return [path for path in files if not path.parts[0].startswith(".") and path.parts[0] not in {"tests", "build"}]


def test_only_routing_makes_permits() -> None:
    found = {str(path): set(makers_in((ROOT / path).read_text(encoding="utf-8"))) for path in product_files()}
    assert {path: makers for path, makers in found.items() if makers} == MAY_MAKE


@pytest.mark.parametrize(
    "source",
    [
        "from policy.permits import grant\ngrant(1, 2, 3, 4)",
        "from policy.permits import grant as allow\nallow(1, 2, 3, 4)",
        "from policy import permits\npermits.grant(1, 2, 3, 4)",
        "import policy.permits as p\np.Permit(1, 2, 3, 4, p._SEAL)",
        "from policy.permits import *",
        "from policy import permits\ngetattr(permits, 'grant')(1, 2, 3, 4)",
        "from policy.permits import Permit\nPermit(1, 2, 3, 4, None)",
        "from policy import routing as r\nr.grant(1, 2, 3, 4)",
        "import policy.permits\npolicy.permits.grant(1, 2, 3, 4)",
        "def late():\n    from policy.routing import grant",
    ],
)
def test_whoever_else_made_one_would_be_found(source: str) -> None:
    assert list(makers_in(source))


def test_whoever_only_takes_one_is_not() -> None:
    source = "from policy.permits import Permit\ndef send(permit: Permit) -> Permit: return permit"
    assert list(makers_in(source)) == []
    assert list(makers_in("from web import sessions\nsessions.grant(1)")) == []
