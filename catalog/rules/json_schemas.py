"""A JSON schema that texts are checked by.

It is self-contained: to check a row takes no network and no file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from jsonschema.exceptions import SchemaError
from jsonschema.validators import validator_for

from catalog.contract import Contract
from catalog.rules.expectation_types import Expectation
from catalog.rules.mistake import Mistake

REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")
FIX: Final = "copy what it refers to into this schema, under $defs, and write #/$defs/NAME"


def json_schema(_: Contract, __: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    """What is wrong with the schema."""
    schema = value
    if isinstance(value, str):
        try:
            schema = json.loads(value)
        except ValueError as error:
            fix = "write the schema as YAML, or correct the text"
            yield Mistake(f"{name} is no JSON ({error})", name, fix)
            return
    if not isinstance(schema, dict):
        yield Mistake(f"{name} is no JSON schema", name, "write a mapping, such as {type: object}")
        return
    if not isinstance(schema.get("$schema", ""), str):
        yield Mistake(f"{name}: $schema is no text", name, "write the address of a draft, or leave it out")
        return
    references = list(_references(schema, ""))
    for where, target in references:
        if not target.startswith("#"):
            what = f"{name}: {where} is {target!r}, which would be fetched while rows are judged"
            yield Mistake(what, name, FIX)
        elif target.startswith("#/") and not _has_part(schema, target):
            what = f"{name}: {where} is {target!r}, and the schema has no such part"
            yield Mistake(what, name, "correct it")
    if all(target.startswith("#") for _, target in references):
        try:
            validator_for(schema).check_schema(schema)
        except SchemaError as error:
            what = f"{name} is no JSON schema: {error.message} ({error.json_path})"
            yield Mistake(what, name, "correct it there")


def _references(part: Any, where: str) -> Iterator[tuple[str, str]]:
    """Where the schema refers to something, and to what."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key in REFERENCES and isinstance(value, str):
                yield f"{where}/{key}", value
            else:
                yield from _references(value, f"{where}/{key}")
    elif isinstance(part, list):
        for index, value in enumerate(part):
            yield from _references(value, f"{where}/{index}")


def _has_part(schema: Any, target: str) -> bool:
    """Whether the part that a pointer names is in the schema; not checked where it has several bases."""
    if "$id" in json.dumps(schema, default=str):
        return True
    part = schema
    for step in target.removeprefix("#/").split("/"):
        key = step.replace("~1", "/").replace("~0", "~").replace("%25", "%")
        if isinstance(part, list) and key.isdecimal() and int(key) < len(part):
            part = part[int(key)]
        elif isinstance(part, dict) and key in part:
            part = part[key]
        else:
            return False
    return True
