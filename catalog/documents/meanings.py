"""What other systems call a thing, and what it is called here: looked up before letters are compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final


def _by_word(groups: Mapping[str, str]) -> dict[str, str]:
    return {word: meant for meant, words in groups.items() for word in words.split()}


TYPES: Final = _by_word(
    {
        "integer": "int int2 int4 int8 int16 int32 int64 uint8 uint16 uint32 uint64 tinyint smallint mediumint bigint long short byte serial"
        " whole integertype longtype shorttype bytetype",
        "number": "float float4 float8 float16 float32 float64 double real floating numeral doubletype floattype",
        "decimal": "decimal dec numeric money decimaltype",
        "string": "str text char nchar varchar nvarchar varchar2 character clob uuid binary bytes enum category stringtype varchartype utf8",
        "boolean": "bool bit flag booleantype",
        "date": "day date32 date64 datetype",
        "timestamp": "datetime datetime2 datetime64 timestamptz timestamp_ntz timestamp_ltz timestampntz instant timestamptype"
        " timestampntztype smalldatetime",
        "time": "time",
        "object": "map struct record json jsonb variant dict mapping maptype structtype",
        "array": "list vector sequence arraytype",
    }
)
"""The logical type that is meant by a type of SQL, Spark, Arrow, pandas or Python."""
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
_WORDS: Final = _by_word(
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
    """The logical type that a type of another system is; `decimal` and `time` are none of Lakegate's."""
    plain = str(word).lower().partition("(")[0].partition("<")[0].partition("[")[0].strip()
    plain = (
        plain
        if plain in ("integer", "number", "string", "boolean", "date", "timestamp", "object", "array")
        else TYPES.get(plain, "")
    )
    return plain or None


def meant(word: object, known: frozenset[str]) -> str | None:
    """The known word that one of another system means."""
    text = str(word).strip()
    if text.lower() in {option.lower() for option in known}:
        return None
    found = _WORDS.get(text.lower()) or logical_type(text)
    spark = SPARK.get(logical_type(text) or "")
    return next((option for option in (found, spark) if option in known), None)
