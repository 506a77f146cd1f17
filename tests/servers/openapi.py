"""Checks a request's body against a vendor's OpenAPI description, and says of each fault in which field it is."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.exceptions import best_match

_SPECS = Path(__file__).parents[1] / "specs"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"[\w.!#$%&'*+/=?^`{{|}}~-]+@(?:{_LABEL}\.)+[A-Za-z]{{2,}}", re.ASCII)

_ALTERNATIVES = ("allOf", "anyOf", "oneOf")

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
    document = _document(file)
    body = _followed(document, document["paths"][path]["post"]["requestBody"])
    return {**body["content"][media_type]["schema"], "components": document["components"]}


def answer_schema(file: str, method: str, path: str, status: str) -> dict[str, Any]:
    """The schema of the JSON that answers `method path` with `status` (`default` for a failure), as `body_schema`."""
    document = _document(file)
    answer = _followed(document, document["paths"][path][method]["responses"][status])
    content = _followed(document, answer["content"])
    return {**content["application/json"]["schema"], "components": document["components"]}


class BodyCheck:
    """A schema made ready to judge bodies. A field that it does not name is a fault, wherever in the body it is."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        schemas = schema.get("components", {}).get("schemas", {})
        inside = {name: _with_closed_parts(schemas, named) for name, named in schemas.items()}
        closed = {**_closed(schemas, schema), "components": {"schemas": inside}}
        Draft202012Validator.check_schema(closed)
        self._validator = Draft202012Validator(closed, format_checker=_formats)

    def violations(self, body: object) -> list[Violation]:
        """All that is wrong with `body`; empty if it is as described."""
        errors = list(self._validator.iter_errors(body))
        faults = [error for error in errors if not _follows_from_another(error, errors)]
        # One field may be described twice, and so be wrong twice over.
        return list(dict.fromkeys(violation for error in faults for violation in _violations(_innermost(error))))


def _document(file: str) -> Any:
    document = json.loads((_SPECS / file).read_text(encoding="utf-8"))
    return _in_words_of_3_1(document) if document["openapi"].startswith("3.0.") else document


def _followed(document: Mapping[str, Any], node: Mapping[str, Any]) -> Any:
    while "$ref" in node:
        reference = node["$ref"].removeprefix("#/").split("/")
        node = document
        for part in reference:
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


def _closed(schemas: Mapping[str, Any], schema: Any) -> Any:
    """The schema of a whole value: it names all fields, by itself or together with what it is put together from."""
    if not isinstance(schema, Mapping):
        return schema
    closed = _with_closed_parts(schemas, schema)
    if "properties" in schema and not any(word in schema for word in ("$ref", *_ALTERNATIVES)):
        closed.setdefault("additionalProperties", False)
    elif _names_fields(schemas, schema):
        # additionalProperties would see the fields that stand beside it only, and so refuse those of the others.
        closed.setdefault("unevaluatedProperties", False)
    return closed


def _with_closed_parts(schemas: Mapping[str, Any], schema: Any) -> Any:
    """The schema of a value, or of a part of what is said about it: its fields and items are whole values."""
    if not isinstance(schema, Mapping):
        return schema
    closed = dict(schema)
    if "properties" in schema:
        closed["properties"] = {name: _closed(schemas, field) for name, field in schema["properties"].items()}
    for word in ("items", "additionalProperties"):
        if word in schema:
            closed[word] = _closed(schemas, schema[word])
    for word in _ALTERNATIVES:
        if word in schema:
            closed[word] = [_with_closed_parts(schemas, each) for each in schema[word]]
    return closed


def _names_fields(schemas: Mapping[str, Any], schema: Any) -> bool:
    if "$ref" in schema:
        return _names_fields(schemas, schemas[schema["$ref"].rpartition("/")[2]])
    return "properties" in schema or any(
        _names_fields(schemas, each) for word in _ALTERNATIVES for each in schema.get(word, ())
    )


def _follows_from_another(error: ValidationError, errors: list[ValidationError]) -> bool:
    """Where a part of what is said about a value is not met, the fields that it names count as unknown too."""
    where = list(error.absolute_path)
    return error.validator == "unevaluatedProperties" and any(
        other.validator != "unevaluatedProperties" or len(other.absolute_path) > len(where)
        for other in errors
        if list(other.absolute_path)[: len(where)] == where
    )


def _innermost(error: ValidationError) -> ValidationError:
    """Where no alternative is met, the fault of the one that comes closest."""
    return best_match([error]) if error.context else error


def _violations(error: ValidationError) -> Iterator[Violation]:
    where = [str(part) for part in error.absolute_path]
    rule, schema, instance = cast("tuple[Any, Any, Any]", (error.validator_value, error.schema, error.instance))
    if error.validator == "required":
        for name in set(rule) - set(instance):
            yield Violation(".".join([*where, name]), "This field is required.")
    elif error.validator == "unevaluatedProperties":
        for name in re.findall(r"'([^']+)'", error.message):  # where else the library says which
            yield Violation(".".join([*where, name]), "There is no such field.")
    elif error.validator == "additionalProperties" and rule is False:
        for name in set(instance) - set(schema["properties"]):
            yield Violation(".".join([*where, name]), "There is no such field.")
    else:
        yield Violation(".".join(where) or None, error.message)
