"""Checks a request's body against a vendor's OpenAPI description, and says of each fault in which field it is."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from jsonschema import Draft202012Validator, FormatChecker, ValidationError

_SPECS = Path(__file__).parents[1] / "specs"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"[\w.!#$%&'*+/=?^`{{|}}~-]+@(?:{_LABEL}\.)+[A-Za-z]{{2,}}", re.ASCII)

_formats = FormatChecker(formats=())


@dataclass(frozen=True, slots=True)
class Violation:
    """One fault of a body: the field that has it, such as `personalizations.0.to`, and what is wrong."""

    field: str | None
    message: str


@_formats.checks("email")
def is_address(value: object) -> bool:
    """Whether `value` is `local@domain.tld`, with no name, quote or space; what is no text is fine."""
    return not isinstance(value, str) or _ADDRESS.fullmatch(value) is not None


def body_schema(file: str, path: str, media_type: str) -> dict[str, Any]:
    """The schema of the body of `POST path` in `tests/specs/file`, with the components that it refers to.

    As JSON Schema 2020-12, which is what OpenAPI 3.1 uses; what 3.0 says in its own way is put into those words.
    """
    document = json.loads((_SPECS / file).read_text(encoding="utf-8"))
    if document["openapi"].startswith("3.0."):
        document = _in_words_of_3_1(document)
    body = document["paths"][path]["post"]["requestBody"]
    body = _referred(document, body["$ref"]) if "$ref" in body else body
    return {**body["content"][media_type]["schema"], "components": document["components"]}


class BodyCheck:
    """A schema made ready to judge bodies. A field that it does not name is a fault."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        closed = _without_unknown_fields(schema)
        Draft202012Validator.check_schema(closed)
        self._validator = Draft202012Validator(closed, format_checker=_formats)

    def violations(self, body: object) -> list[Violation]:
        """All that is wrong with `body`; empty if it is as described."""
        return [violation for error in self._validator.iter_errors(body) for violation in _violations(error)]


def _referred(document: Mapping[str, Any], reference: str) -> Any:
    node: Any = document
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def _in_words_of_3_1(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_in_words_of_3_1(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    said = {name: _in_words_of_3_1(value) for name, value in schema.items() if name != "nullable"}
    if schema.get("nullable") is True:
        return {"anyOf": [said, {"type": "null"}]}
    return said


def _without_unknown_fields(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_unknown_fields(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    closed = {name: _without_unknown_fields(value) for name, value in schema.items()}
    if closed.get("type") == "object" and "properties" in closed:
        closed.setdefault("additionalProperties", False)
    return closed


def _violations(error: ValidationError) -> Iterator[Violation]:
    where = [str(part) for part in error.absolute_path]
    rule, schema, instance = cast("tuple[Any, Any, Any]", (error.validator_value, error.schema, error.instance))
    if error.validator == "required":
        for name in set(rule) - set(instance):
            yield Violation(".".join([*where, name]), "This field is required.")
    elif error.validator == "additionalProperties" and rule is False:
        for name in set(instance) - set(schema["properties"]):
            yield Violation(".".join([*where, name]), "There is no such field.")
    else:
        yield Violation(".".join(where) or None, error.message)
