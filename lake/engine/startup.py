"""How each engine is started: Sail as a process of this one's own, Spark as its JVM or as a server elsewhere."""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib
import os
import shutil
import uuid
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from lake.engine.environment import environment
from lake.engine.sail import Sail
from lake.engine.spark_jars import jars_at_hand, jars_kept
from lake.runtime.scratch import scratch
from lakegate.errors import LakegateError
from lakegate.home import Endpoint
from lakegate.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

REGION: Final = "us-east-1"
"""lakeFS's gateway ignores the region, the clients insist on one."""

DEBUGGING: Final = "spark.python.sql.dataFrameDebugging.enabled"
"""Whether PySpark notes for each column of each query which line of ours made it; it asks once a process."""
YEAR: Final = 365 * 24 * 3600
"""Seconds."""


def start(settings: Settings, endpoint: Endpoint, sail: Sail | None) -> SparkSession:
    """A session of the engine that the settings name, its clock on UTC; of this Sail, where there is one.

    Raises:
        LakegateError: It can't start here (Java missing, jars that don't resolve).
    """
    from pyspark.errors.utils import is_debugging_enabled

    session = sail.connect() if sail is not None else _spark(settings, endpoint)
    from lake.engine.connect import LeftToItsChannel  # a JVM is started before gRPC is imported

    session.__class__ = LeftToItsChannel
    session.conf.set("spark.sql.session.timeZone", "UTC")
    if sail is not None:  # for Spark it is fixed when its JVM starts
        session.conf.set(DEBUGGING, "false")
    is_debugging_enabled()
    return session


def begin(settings: Settings, endpoint: Endpoint) -> Sail | None:
    """Sail's process, on its way to be ready, where that is the engine."""
    return (
        Sail(_sail_settings(settings, endpoint), guarded=settings.sail_guard)
        if settings.engine == "sail"
        else None
    )


def preload() -> None:
    """Import what asking an engine imports, half a second of it; what fails here fails there again, and is told then."""
    with contextlib.suppress(ImportError):
        importlib.import_module("lake.engine.connect")


def _keys(endpoint: Endpoint) -> dict[str, str | None]:
    """The object-store keys as every client of S3 takes them, without a token that the caller may hold for another store."""
    return {
        "AWS_ACCESS_KEY_ID": endpoint.key_id,
        "AWS_SECRET_ACCESS_KEY": endpoint.secret,
        "AWS_SESSION_TOKEN": None,
    }


def _sail_settings(settings: Settings, endpoint: Endpoint) -> dict[str, str | None]:
    return {
        **_keys(endpoint),
        "AWS_ENDPOINT": endpoint.url,
        "AWS_REGION": REGION,
        "AWS_ALLOW_HTTP": str(urlsplit(endpoint.url).scheme == "http").lower(),
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAIL_RUNTIME__MEMORY_POOL__TYPE": "fair",
        "SAIL_RUNTIME__MEMORY_POOL__FAIR__MAX_SIZE": str(settings.memory),
        # Parquet's least and greatest value leave out NaN: with statistics Sail 0.7.2 takes 1.0 and NaN for a constant 1.0.
        "SAIL_EXECUTION__COLLECT_STATISTICS": "false",
        # It forgets a session that is silent for a quarter of an hour, and its settings with it, and makes another of that name unasked.
        "SAIL_SPARK__SESSION_TIMEOUT_SECS": str(YEAR),
        "RUST_LOG": "off",
    }


def _spark(settings: Settings, endpoint: Endpoint) -> SparkSession:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it tries to set static options again, in vain and without need
            if settings.spark_remote.startswith("local"):
                return _local_spark(settings, endpoint)
            return _remote_spark(settings, endpoint)
    except LakegateError:
        raise
    except Exception as error:  # noqa: BLE001  (py4j's among them, and their texts quote options)
        what = f"Spark did not start ({type(error).__name__})"
        raise LakegateError(what, fix=_why_spark_did_not(settings)) from None


def _why_spark_did_not(settings: Settings) -> str:
    if not settings.spark_remote.startswith("local"):
        return f"see that a Spark Connect server answers at {settings.spark_remote} (LAKEGATE_SPARK_REMOTE)"
    java = (
        shutil.which("java", path=f"{os.environ['JAVA_HOME']}/bin")
        if os.environ.get("JAVA_HOME")
        else shutil.which("java")
    )
    if java is None:
        return "the Spark engine needs Java 17 or newer on PATH (or JAVA_HOME), and there is none; LAKEGATE_ENGINE=sail needs none"
    return f"see that {java} is Java 17 or newer and that Spark can fetch its jars ({jars_kept()}); LAKEGATE_ENGINE=sail needs neither"


def _remote_spark(settings: Settings, endpoint: Endpoint) -> SparkSession:
    """A session on a Spark Connect server that runs elsewhere; keys travel with the session."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.remote(settings.spark_remote)
    for name, value in {
        **_s3a(endpoint),
        "access.key": endpoint.key_id,
        "secret.key": endpoint.secret,
    }.items():
        builder = builder.config(f"spark.hadoop.fs.s3a.{name}", value)
    session: SparkSession = builder.getOrCreate()
    return session


def _local_spark(settings: Settings, endpoint: Endpoint) -> SparkSession:
    """A Spark of this process's own, reached by it alone: loopback, ports that the system picks, a token, a secret.

    pyspark's own `remote("local[2]")` does the same on every interface and on one port per host. Options stand on the
    JVM's command line, which every user can read; so keys and token are handed over in its environment. What it writes to
    disk while it computes, all may read: it gets a folder that only its owner can enter.
    """
    from pyspark import SparkConf, SparkContext
    from pyspark.sql import SparkSession

    options = (
        {f"spark.hadoop.fs.s3a.{name}": value for name, value in _s3a(endpoint).items()}
        | {
            "spark.master": settings.spark_remote,
            "spark.authenticate": "true",  # by a secret that the JVM makes for itself, of ports that read blocks and Java objects
            "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.connect.grpc.binding.port": "0",
            "spark.sql.artifact.isolation.enabled": "true",
            "spark.sql.artifact.isolation.alwaysApplyClassloader": "true",
            "spark.hadoop.fs.s3a.aws.credentials.provider": "software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider",
            "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
            "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
            "spark.driver.memory": str(settings.memory),
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.log.level": "FATAL",  # executors quote values in what they log (P6)
            "spark.sql.shuffle.partitions": "2",
            DEBUGGING: "false",
            "spark.databricks.delta.snapshotPartitions": "2",
        }
    )
    token = str(uuid.uuid4())
    given = {
        "SPARK_CONNECT_AUTHENTICATE_TOKEN": token,
        "SPARK_REMOTE": None,
        "SPARK_LOCAL_DIRS": str(_spilled(settings)),
    }
    asked = environment({**_keys(endpoint), **given})
    with jars_at_hand(jars_kept()) as jars, asked:
        context = SparkContext.getOrCreate(SparkConf().setAll([*options.items(), *jars.options.items()]))
        jars.note(context.getConf().get("spark.jars") or "")
    token = context.__dict__.setdefault(
        "_lakegate_token", token
    )  # a process has one JVM, which keeps its first
    SparkSession(context)  # the server makes its sessions from it
    service = getattr(context._jvm, "org.apache.spark.sql.connect.service.SparkConnectService$")  # noqa: SLF001  (as pyspark's tests ask)
    port = getattr(service, "MODULE$").localPort()
    session: SparkSession = SparkSession.builder.remote(f"sc://localhost:{port}/;token={token}").create()
    return session


@functools.cache
def _spilled(settings: Settings) -> Path:
    """Where this process's JVM puts blocks and temporary files: a scratch folder, until the process ends."""
    folder = contextlib.ExitStack()
    atexit.register(folder.close)
    return folder.enter_context(scratch(settings, "spark"))


def _s3a(endpoint: Endpoint) -> dict[str, str]:
    return {
        "endpoint": endpoint.url,
        "endpoint.region": REGION,
        "path.style.access": "true",
        "change.detection.mode": "none",
        "connection.ssl.enabled": str(urlsplit(endpoint.url).scheme == "https").lower(),
    }
