"""What the documentation of GX and of Spark leads to: validate a suite, filter, write two Delta tables.

`LAKEGATE_BENCH_ENGINE` says on which engine: spark (local, classic) or sail.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.rivals.case import Case, Outcome, run_program
from benchmarks.rivals.contract import expected
from benchmarks.rivals.programs.place import QUARANTINE, TRIPS, Place
from benchmarks.rivals.rules import Rule, columns_of, rules_of

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

_TYPES = {"integer": "bigint", "number": "double", "timestamp": "timestamp", "string": "string"}
HADOOP_AWS, AWS_SDK, SCALA = "3.4.2", "2.29.52", "4.1_2.13"


def main(case: Case, found: Outcome) -> None:
    """Read and type, let GX validate, mark the rows again by hand, write."""
    engine = os.environ["LAKEGATE_BENCH_ENGINE"]
    place, kinds, rules = Place(case), columns_of(case.columns), rules_of(case.columns, case.rules)
    airports = place.reference().to_pylist()
    with found.step("session"):
        spark = _spark(case) if engine == "spark" else _sail(case)
        spark.conf.set("spark.sql.session.timeZone", "UTC")
    frame = _typed(
        spark.read.csv(case.csv, header=True, schema=", ".join(f"{name} string" for name in kinds)), kinds
    )
    with found.step("validate"):
        found.failed = _validated(frame, rules, kinds, airports, persist=engine == "spark")
    with found.step("write"):
        _write(spark, frame, rules, case)
    found.valid, found.quarantined = place.rows(TRIPS), place.rows(QUARANTINE)


def _typed(text: DataFrame, kinds: dict[str, Any]) -> DataFrame:
    from pyspark.sql import functions as F  # noqa: N812

    columns = []
    for name, kind in kinds.items():
        value = F.col(name).try_cast(_TYPES[kind]) if kind != "string" else F.col(name)
        columns.append(value.alias(name))
        if kind != "string":
            columns += [
                F.col(name).alias(f"text_{name}"),
                (F.col(name).isNull() | value.isNotNull()).alias(f"read_{name}"),
            ]
    return text.select(*columns)


def _validated(
    frame: DataFrame, rules: tuple[Rule, ...], kinds: dict[str, Any], airports: list[str], *, persist: bool
) -> dict[str, int]:
    import great_expectations as gx
    from great_expectations.expectations.registry import get_expectation_impl

    context = gx.get_context(mode="ephemeral")
    asset = context.data_sources.add_spark("trips", persist=persist).add_dataframe_asset("trips")
    batch = asset.add_batch_definition_whole_dataframe("trips").get_batch({"dataframe": frame})
    suite = gx.ExpectationSuite("trips")
    for rule in rules:
        type_, kwargs = _expectation(rule, kinds, airports)
        suite.add_expectation(get_expectation_impl(type_)(**kwargs, meta={"rule": rule.id}))
    result = batch.validate(suite)
    found = {}
    for item in result.results:
        if item.exception_info.get("raised_exception", False) or "unexpected_count" not in item.result:
            raise AssertionError(item)
        found[item.expectation_config.meta["rule"]] = int(item.result["unexpected_count"])
    return found


def _expectation(rule: Rule, kinds: dict[str, Any], airports: list[str]) -> tuple[str, dict[str, Any]]:
    match rule.kind:
        case "type":
            return "expect_column_values_to_be_in_set", {"column": f"read_{rule.column}", "value_set": [True]}
        case "required":
            return "expect_column_values_to_not_be_null", {"column": rule.column}
        case "key":
            return "expect_column_values_to_be_unique", {"column": rule.column}
        case "fk":
            return "expect_column_values_to_be_in_set", {"column": rule.column, "value_set": airports}
    type_, kwargs = expected(rule)
    if kinds[rule.column] == "timestamp" and rule.kind == "between":
        kwargs |= {name: datetime.fromisoformat(kwargs[name]) for name in ("min_value", "max_value")}
    if rule.kind == "greater":
        kwargs["ignore_row_if"] = "either_value_is_missing"
    if "row_condition" in kwargs:
        kwargs["condition_parser"] = "spark"
    return type_, kwargs


def _broken(rule: Rule, kinds: dict[str, Any]) -> Column:
    from pyspark.sql import functions as F  # noqa: N812

    column = F.col(rule.column)
    match rule.kind:
        case "type":
            return ~F.col(f"read_{rule.column}")
        case "required":
            return column.isNull()
        case "key":
            return F.col("times") > 1
        case "fk":
            return column.isNotNull() & F.col("faa").isNull()
        case "between":
            low, high = (
                F.lit(value).cast("timestamp") if kinds[rule.column] == "timestamp" else F.lit(value)
                for value in (rule.args["low"], rule.args["high"])
            )
            outside = (column < low) | (column > high)
            return (
                (F.col(rule.args["where"][0]) == rule.args["where"][1]) & outside
                if "where" in rule.args
                else outside
            )
        case "in_set":
            return ~column.isin(*rule.args["values"])
        case "not_in_set":
            return column.isin(*rule.args["values"])
        case "regex":
            return ~column.rlike(rule.args["pattern"])
        case "not_regex":
            return column.rlike(rule.args["pattern"])
        case "length":
            return ~F.length(column).between(rule.args["low"], rule.args["high"])
        case _:
            return column <= F.col(rule.args["other"])


def _write(spark: SparkSession, frame: DataFrame, rules: tuple[Rule, ...], case: Case) -> None:
    from pyspark.sql import functions as F  # noqa: N812

    kinds = columns_of(case.columns)
    (key,) = (rule.column for rule in rules if rule.kind == "key")
    codes = spark.createDataFrame([(code,) for code in Place(case).reference().to_pylist()], "faa string")
    repeats = (
        frame.where(F.col(key).isNotNull())
        .groupBy(key)
        .agg(F.count(F.lit(1)).alias("times"))
        .where("times > 1")
    )
    marked = frame.join(repeats, key, "left").join(codes, F.col("origin") == F.col("faa"), "left")
    reasons = F.array_compact(F.array(*[F.when(_broken(rule, kinds), F.lit(rule.id)) for rule in rules]))
    marked = marked.withColumn("_reasons", reasons).withColumn("_file", F.lit(Path(case.csv).name))
    valid = marked.where(F.size("_reasons") == 0).select(*kinds, "_file")
    valid.write.format("delta").mode("overwrite").save(_uri(case, TRIPS))
    delivered = [
        F.col(name if kind == "string" else f"text_{name}").alias(name) for name, kind in kinds.items()
    ]
    quarantined = marked.where(F.size("_reasons") > 0).select(*delivered, "_file", "_reasons")
    quarantined.write.format("delta").mode("overwrite").save(_uri(case, QUARANTINE))


def _uri(case: Case, table: str) -> str:
    return f"s3a://{case.place}/{table}" if case.url else f"file://{case.place}/{table}"


def _spark(case: Case) -> SparkSession:
    from importlib.metadata import version

    from pyspark.sql import SparkSession

    jars = [
        f"io.delta:delta-spark_{SCALA}:{version('delta-spark')}",
        f"org.apache.hadoop:hadoop-aws:{HADOOP_AWS}",
    ]
    jars += [
        f"software.amazon.awssdk:{module}:{AWS_SDK}"
        for module in ("s3", "s3-transfer-manager", "apache-client", "sts")
    ]
    options = {
        "spark.jars.packages": ",".join(jars),
        "spark.jars.excludes": "software.amazon.awssdk:bundle",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.driver.memory": "4g",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.log.level": "ERROR",
        "spark.sql.shuffle.partitions": str(2 * (os.cpu_count() or 1)),
        "spark.hadoop.fs.s3a.endpoint": case.url,
        "spark.hadoop.fs.s3a.endpoint.region": "us-east-1",
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.change.detection.mode": "none",
        "spark.hadoop.fs.s3a.connection.ssl.enabled": "false",
        "spark.hadoop.fs.s3a.access.key": case.key_id,
        "spark.hadoop.fs.s3a.secret.key": case.secret,
    }
    builder = SparkSession.builder.master("local[*]")
    for name, value in options.items():
        builder = builder.config(name, value)
    session: SparkSession = builder.getOrCreate()
    return session


def _sail(case: Case) -> SparkSession:
    os.environ |= {
        "AWS_ENDPOINT": case.url,
        "AWS_ACCESS_KEY_ID": case.key_id,
        "AWS_SECRET_ACCESS_KEY": case.secret,
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
        "AWS_EC2_METADATA_DISABLED": "true",
        "RUST_LOG": "off",
    }
    from pysail.spark import SparkConnectServer
    from pyspark.sql import SparkSession

    server = SparkConnectServer(ip="127.0.0.1", port=0)
    server.start(background=True)
    _, port = server.listening_address
    session: SparkSession = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
    session._bench_server = server  # noqa: SLF001  (lives as long as its session)
    return session


if __name__ == "__main__":
    run_program(main)
