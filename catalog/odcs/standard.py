"""A contract checked by the JSON schema of the Open Data Contract Standard, with lines and fixes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from jsonschema import Draft201909Validator
from jsonschema.exceptions import ValidationError

from catalog.documents.document import Document, Steps, suggest
from catalog.odcs.custom_properties import TOP
from catalog.odcs.logical_types import type_mistakes
from lakegate.errors import ContractError

API_VERSION: Final = "v3.2.0"
_TYPES: Final = {
    "object": "a mapping (key: value)",
    "array": "a list",
    "string": "text",
    "boolean": "true or false",
    "number": "a number",
}
_BRANCHES: Final = ("allOf", "anyOf", "oneOf")
_INDIRECT: Final = ("unevaluatedProperties", "additionalProperties")
"""Keywords whose mistakes follow from others, or are unknown keys."""


@lru_cache(maxsize=1)
def validator() -> Draft201909Validator:
    """The standard's JSON schema, from the package that the standard publishes."""
    schema = json.loads((files("open_data_contract_standard") / "schema.json").read_text(encoding="utf-8"))
    return Draft201909Validator(schema)


def standard_mistakes(document: Document) -> Iterator[tuple[Steps, ContractError]]:
    """What the standard, or Lakegate's choice of its types, refuses in a document, with its place.

    So is any unknown key. The schema leaves some objects open and reports an unknown key in others only
    through what surrounds it, so unknown keys are searched first, by walking the document and the schema
    together.
    """
    if not isinstance(document.data, dict):
        fix = f"begin with apiVersion: {API_VERSION} and kind: DataContract"
        yield (), document.error("the contract is empty, or no mapping", fix=fix)
        return
    known, unknown = validator(), dict[Steps, str]()
    for steps, allowed in _unknown_keys(document.data, known.schema, ()):
        key = steps[-1]
        around = ".".join(str(step) for step in steps[:-1] if isinstance(step, str)) or "the contract"
        fix = suggest(key, allowed)
        if len(steps) == 1 and key in TOP:
            fix = f"write under customProperties: - {{property: {key}, value: ...}}"
        unknown[steps] = fix
        yield steps, document.error(f"unknown key {key!r} in {around}", *steps, fix=fix)
    typed = set[Steps]()
    for at, error in type_mistakes(document):
        typed.add(at)
        if not any(steps[:-1] == at and "'logicalType'" in fix for steps, fix in unknown.items()):
            yield (*at, "logicalType"), error
    yield from _refused(document, unknown, typed)


_BY_TYPE: Final[frozenset[str | int]] = frozenset(
    {"logicalType", "logicalTypeOptions", "items", "properties"}
)
"""Keys that depend on a column's type: nothing of them is reported where the type is a mistake."""


def _refused(
    document: Document, unknown: dict[Steps, str], typed: set[Steps]
) -> Iterator[tuple[Steps, ContractError]]:
    """What the standard's schema refuses, one mistake for each place.

    Args:
        document: The contract.
        unknown: The fix of each unknown key, which may be a misspelt one that seems missing.
        typed: Columns whose type is a mistake, of which more follows.
    """
    found = [min(_leaves(error), key=_weight) for error in validator().iter_errors(document.data)]
    direct = [error for error in found if error.validator not in _INDIRECT]
    seen = set[Steps]()
    for error in direct or (() if unknown or typed else found):
        steps = tuple(error.absolute_path)
        if steps in seen or any(_follows(steps, place) for place in typed):
            continue
        if error.validator == "required":
            fixes = [fix for place, fix in unknown.items() if place[:-1] == steps]
            if any(repr(_lacks(error)) in fix for fix in fixes):
                continue
        seen.add(steps)
        yield steps, document.error(_what(error, steps), *steps, fix=_fix(error))


def _follows(steps: Steps, column: Steps) -> bool:
    """Whether a mistake follows from a column's wrong type: at the column, or at what depends on the type."""
    inside = steps[len(column) :]
    return steps[: len(column)] == column and (not inside or inside[0] in _BY_TYPE)


def _weight(error: ValidationError) -> tuple[bool, int, str]:
    """Sorts the ways in which alternatives fail, the most specific first."""
    return (
        error.validator in _INDIRECT,
        -len(error.absolute_path),
        str(error.validator),
    )


def _lacks(error: ValidationError) -> str:
    return str(next(key for key in error.validator_value if key not in error.instance))


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    if not error.context:
        yield error
    for inner in error.context or ():
        yield from _leaves(inner)


def _what(error: ValidationError, steps: Steps) -> str:
    name = ".".join(str(step) for step in steps) or "the contract"
    if error.validator == "required":
        return f"{name} lacks {_lacks(error)!r}"
    if error.validator == "type":
        return f"{name} is {error.instance!r}"[:200]
    if error.validator == "enum":
        return f"{name} can't be {error.instance!r}"[:200]
    return f"{name}: {error.message}"[:300]


def _fix(error: ValidationError) -> str:
    if error.validator == "required":
        return "add it"
    if error.validator == "enum":
        return suggest(error.instance, [str(value) for value in error.validator_value])
    if error.validator == "type":
        kinds = [error.validator_value] if isinstance(error.validator_value, str) else error.validator_value
        return f"write {' or '.join(_TYPES.get(kind, kind) for kind in kinds)}"
    return "see the Open Data Contract Standard"


def _unknown_keys(data: Any, schema: dict[str, Any], steps: Steps) -> Iterator[tuple[Steps, list[str]]]:
    if isinstance(data, list):
        for item in _items(schema, data):
            for i, value in enumerate(data):
                yield from _unknown_keys(value, item, (*steps, i))
    if not isinstance(data, dict):
        return
    known = _properties(schema, data)
    if not known:  # a free object, such as a custom property's value: whoever defines it checks it
        return
    for key, value in data.items():
        if key in known:
            yield from _unknown_keys(value, known[key], (*steps, key))
        else:
            yield (*steps, key), list(known.keys() - data.keys())


def _resolve(schema: dict[str, Any]) -> dict[str, Any]:
    whole: Any = validator().schema
    for part in schema["$ref"].removeprefix("#/").split("/"):
        whole = whole[part]
    return dict(whole)


def _applicable(schema: dict[str, Any], data: Any) -> Iterator[dict[str, Any]]:
    yield schema
    if "$ref" in schema:
        yield from _applicable(_resolve(schema), data)
    for branch in _BRANCHES:
        for inner in schema.get(branch, ()):
            yield from _applicable(inner, data)
    if "then" in schema and validator().evolve(schema=schema["if"]).is_valid(data):
        yield from _applicable(schema["then"], data)


def _properties(schema: dict[str, Any], data: Any) -> dict[str, dict[str, Any]]:
    """Every key that the schema knows at this place, with the fullest schema of its value."""
    found: dict[str, dict[str, Any]] = {}
    for part in _applicable(schema, data):
        for key, inner in part.get("properties", {}).items():
            if isinstance(inner, dict) and len(inner) >= len(found.get(key, ())):
                found[key] = inner
    return found


def _items(schema: dict[str, Any], data: Any) -> list[dict[str, Any]]:
    return [part["items"] for part in _applicable(schema, data) if isinstance(part.get("items"), dict)][-1:]
