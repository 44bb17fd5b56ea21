"""How each engine is started: Sail as a child process, Spark as this process's JVM or a server elsewhere."""

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
from lake.engine.spark_jars import ivy_folder, jars_at_hand
from lake.runtime.scratch import scratch
from lakegate.errors import LakegateError
from lakegate.home import Endpoint
from lakegate.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

REGION: Final = "us-east-1"
"""lakeFS's gateway ignores the region, the clients insist on one."""

DEBUGGING: Final = "spark.python.sql.dataFrameDebugging.enabled"
"""Whether PySpark records which line made each column of a query; it reads this once a process."""
FROM_ENVIRONMENT: Final = "software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider"
YEAR: Final = 365 * 24 * 3600
"""Seconds."""


def start(settings: Settings, endpoint: Endpoint, sail: Sail | None) -> SparkSession:
    """A session of the engine that the settings name, in UTC; of `sail`, where it is given.

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
    """Sail's process, which may still be starting; None where another engine is set."""
    if settings.engine != "sail":
        return None
    return Sail(_sail_settings(settings, endpoint), guarded=settings.sail_guard)


def preload() -> None:
    """Import what an engine needs, which takes half a second; what can't be imported fails at its use."""
    with contextlib.suppress(ImportError):
        importlib.import_module("lake.engine.connect")


def _keys(endpoint: Endpoint) -> dict[str, str | None]:
    """The gateway's keys as S3 clients take them, without a token of the caller for another store."""
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
        # Parquet's least and greatest value leave out NaN: with statistics Sail 0.7.2 takes 1.0 and NaN for a
        # constant 1.0.
        "SAIL_EXECUTION__COLLECT_STATISTICS": "false",
        # By default it forgets a session, and its settings, after a quarter of an hour without a call, and
        # silently makes another one of that name then.
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
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin" if home else None)
    if java is None:
        need = "the Spark engine needs Java 17 or newer on PATH (or JAVA_HOME), and there is none"
        return f"{need}; LAKEGATE_ENGINE=sail needs none"
    need = f"see that {java} is Java 17 or newer and that Spark can fetch its jars ({ivy_folder()})"
    return f"{need}; LAKEGATE_ENGINE=sail needs neither"


def _remote_spark(settings: Settings, endpoint: Endpoint) -> SparkSession:
    """A session on a Spark Connect server that runs elsewhere; keys travel with the session."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.remote(settings.spark_remote)
    keys = {"access.key": endpoint.key_id, "secret.key": endpoint.secret}
    for name, value in (_s3a(endpoint) | keys).items():
        builder = builder.config(f"spark.hadoop.fs.s3a.{name}", value)
    session: SparkSession = builder.getOrCreate()
    return session


def _local_spark(settings: Settings, endpoint: Endpoint) -> SparkSession:
    """A Spark of this process's own that no other account reaches: loopback, free ports, a token, a secret.

    pyspark's own `remote("local[2]")` does the same on every interface and on one port per host. Every user
    can read options on the JVM's command line, so the JVM gets keys and token in its environment. Files that
    Spark writes while it computes are readable for all, so their folder is its owner's alone.
    """
    from pyspark import SparkConf, SparkContext
    from pyspark.sql import SparkSession

    options = {
        **{f"spark.hadoop.fs.s3a.{name}": value for name, value in _s3a(endpoint).items()},
        "spark.hadoop.fs.s3a.aws.credentials.provider": FROM_ENVIRONMENT,
        "spark.master": settings.spark_remote,
        "spark.authenticate": "true",  # on ports that serve blocks and Java objects, by the JVM's own secret
        "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": "0",
        "spark.sql.artifact.isolation.enabled": "true",
        "spark.sql.artifact.isolation.alwaysApplyClassloader": "true",
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
    token = str(uuid.uuid4())
    given = {
        **_keys(endpoint),
        "SPARK_CONNECT_AUTHENTICATE_TOKEN": token,
        "SPARK_REMOTE": None,
        "SPARK_LOCAL_DIRS": str(_spill_folder(settings)),
    }
    with jars_at_hand(ivy_folder()) as jars, environment(given):
        context = SparkContext.getOrCreate(SparkConf().setAll([*options.items(), *jars.options.items()]))
        jars.note(context.getConf().get("spark.jars") or "")
    token = context.__dict__.setdefault(
        "_lakegate_token", token
    )  # a process has one JVM, with its first token
    SparkSession(context)  # the server makes its sessions from it
    service = getattr(context._jvm, "org.apache.spark.sql.connect.service.SparkConnectService$")  # noqa: SLF001  (as pyspark's tests ask)
    port = getattr(service, "MODULE$").localPort()
    session: SparkSession = SparkSession.builder.remote(f"sc://localhost:{port}/;token={token}").create()
    return session


@functools.cache
def _spill_folder(settings: Settings) -> Path:
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
