"""Words of other systems that mean the same as words of contracts: looked up before letters are compared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final


def by_word(groups: Mapping[str, str]) -> dict[str, str]:
    """What each word means, from the words (in one text) of each meaning."""
    return {word: meant for meant, words in groups.items() for word in words.split()}


TYPES: Final = by_word(
    {
        "integer": "int int2 int4 int8 int16 int32 int64 uint8 uint16 uint32 uint64 tinyint smallint"
        " mediumint bigint long short byte serial whole integertype longtype shorttype bytetype",
        "number": "float float4 float8 float16 float32 float64 double real floating numeral doubletype"
        " floattype",
        "decimal": "decimal dec numeric money decimaltype",
        "string": "str text char nchar varchar nvarchar varchar2 character clob uuid binary bytes enum"
        " category stringtype varchartype utf8",
        "boolean": "bool bit flag booleantype",
        "date": "day date32 date64 datetype",
        "timestamp": "datetime datetime2 datetime64 timestamptz timestamp_ntz timestamp_ltz timestampntz"
        " instant timestamptype timestampntztype smalldatetime",
        "time": "time",
        "object": "map struct record json jsonb variant dict mapping maptype structtype",
        "array": "list vector sequence arraytype",
    }
)
"""The logical type of each type of SQL, Spark, Arrow, pandas or Python; contracts have no decimal or time."""
SPARK: Final = {
    "integer": "LongType",
    "number": "DoubleType",
    "decimal": "DoubleType",
    "string": "StringType",
    "boolean": "BooleanType",
    "date": "DateType",
    "timestamp": "TimestampType",
    "object": "StringType",
    "array": "StringType",
}
"""What GX's Spark engine calls a column of each."""
_WORDS: Final = by_word(
    {
        "replace": "overwrite truncate full snapshot",
        "upsert": "merge update",
        "append": "insert incremental add",
        "block": "error critical fail fatal refuse reject stop abort",
        "warn": "warning info notice log",
        "quarantine": "drop filter",
        "ignore": "allow",
        "personal": "private gdpr",
    }
)


def logical_type(word: object) -> str | None:
    """The logical type of a type of another system, as in `TYPES`; None where it is unknown."""
    plain = re.split(r"[(<\[]", str(word).lower(), maxsplit=1)[0].strip()
    return plain if plain in SPARK and plain != "decimal" else TYPES.get(plain)


def meant(word: object, known: frozenset[str]) -> str | None:
    """The known word that means the same as a word of another system; None where there is none."""
    text = str(word).strip()
    if text.lower() in {option.lower() for option in known}:
        return None
    found = _WORDS.get(text.lower()) or logical_type(text)
    spark = SPARK.get(logical_type(text) or "")
    return next((option for option in (found, spark) if option in known), None)
