"""A contract against the Open Data Contract Standard: its own JSON schema, told as one mistake with a line and a fix."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from jsonschema import Draft201909Validator
from jsonschema.exceptions import ValidationError

from catalog.document import Document, Steps, suggest
from catalog.logical_types import check_types

API_VERSION: Final = "v3.2.0"
_TYPES: Final = {"object": "a mapping (key: value)", "array": "a list", "string": "text", "boolean": "true or false", "number": "a number"}
_BRANCHES: Final = ("allOf", "anyOf", "oneOf")


@lru_cache(maxsize=1)
def validator() -> Draft201909Validator:
    """The standard's JSON schema, from the package that the standard publishes."""
    schema = json.loads((files("open_data_contract_standard") / "schema.json").read_text(encoding="utf-8"))
    return Draft201909Validator(schema)


def check(document: Document) -> None:
    """Check a document against the standard; a key that it doesn't know anywhere is a mistake too.

    The schema leaves some objects open and reports an unknown key in others only through what surrounds it, so unknown
    keys are looked for first, by walking the document and the schema together.

    Raises:
        ContractError: The first mistake in the document.
    """
    if not isinstance(document.data, dict):
        raise document.error("the contract is empty, or no mapping", fix=f"begin with apiVersion: {API_VERSION} and kind: DataContract")
    known = validator()
    for steps, allowed in _unknown_keys(document.data, known.schema, ()):
        key = steps[-1]
        around = ".".join(str(step) for step in steps[:-1] if isinstance(step, str)) or "the contract"
        what = f"unknown key {key!r} in {around}"
        raise document.error(what, *steps, fix=suggest(key, allowed))
    check_types(document)
    errors = [leaf for error in known.iter_errors(document.data) for leaf in _leaves(error)]
    if errors:
        worst = min(errors, key=lambda error: (error.validator == "unevaluatedProperties", -len(error.absolute_path), str(error.validator)))
        steps = tuple(worst.absolute_path)
        raise document.error(_what(worst, steps), *steps, fix=_fix(worst))


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    if not error.context:
        yield error
    for inner in error.context or ():
        yield from _leaves(inner)


def _what(error: ValidationError, steps: Steps) -> str:
    name = ".".join(str(step) for step in steps) or "the contract"
    if error.validator == "required":
        missing = next(key for key in error.validator_value if key not in error.instance)
        return f"{name} lacks {missing!r}"
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
