"""Turns a form (application/x-www-form-urlencoded) into the values that a vendor's schema speaks of.

A form knows text only. A field gets the type that its schema names; text which is not of that type stays text, so that
the check against the schema finds it. A list is sent by repeating its field, which is OpenAPI's default for forms
(https://spec.openapis.org/oas/v3.0.3#encoding-object); any other field that is repeated becomes a list, and so a fault.
"""

import json
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs

# What is written as JSON writes it; for a boolean Twilio's SDK does so too.
_WRITTEN = MappingProxyType(
    {
        "integer": re.compile(r"-?(0|[1-9]\d*)", re.ASCII),
        "number": re.compile(r"-?(0|[1-9]\d*)(\.\d+)?", re.ASCII),
        "boolean": re.compile(r"true|false"),
    }
)


def values(body: bytes, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a form, typed by the `properties` of `schema`. Raises ValueError for what is no form in UTF-8."""
    text = body.decode()
    texts = parse_qs(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict")
    return {name: _value(given, schema["properties"].get(name, {})) for name, given in texts.items()}


def _value(given: Sequence[str], schema: Mapping[str, Any]) -> Any:
    if schema.get("type") == "array":
        return [_typed(text, schema["items"]) for text in given]
    typed = [_typed(text, schema) for text in given]
    return typed[0] if len(typed) == 1 else typed


def _typed(text: str, schema: Mapping[str, Any]) -> Any:
    written = _WRITTEN.get(schema.get("type", "string"))
    return json.loads(text) if written and written.fullmatch(text) else text
