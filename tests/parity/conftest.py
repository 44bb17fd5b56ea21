"""One session an engine for all modules of this folder: to start Spark takes longer than most of what is
asked of it.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator

import pytest

from lake.engine.engine import Engine
from lake.engine.environment import prepare_environment
from lake.server.lifecycle import ensure_server, stop_server
from lakegate.settings import Settings
from tests.support.rules.compare_with_gx import Gx, Lakegate

SHORT_LIVED_JVM = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""A JVM that lives for a minute is gone before what its second compiler makes has paid:
a quarter less CPU time.
"""


@pytest.fixture(scope="session", autouse=True)
def short_lived_jvms() -> None:
    """For this process and those that it starts."""
    os.environ.setdefault("SPARK_SUBMIT_OPTS", SHORT_LIVED_JVM)


def java_or_loud_skip() -> None:
    """Spark needs Java: where it is missing the tests say so, and in CI that is a failure."""
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        told = "NO JAVA: the Spark tests did not run. Install Java 17 or newer to run them."
        if os.environ.get("CI"):
            pytest.fail(told)
        sys.stderr.write(f"\n*** {told} ***\n")
        pytest.skip(told)


def _home(name: str, factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A home with its lakeFS: of one engine, whose keys are those of the first session."""
    prepare_environment()
    settings = Settings.load(home=factory.mktemp(name) / "home", environ={"LAKEGATE_ENGINE": name})
    yield settings
    stop_server(settings.home)


@pytest.fixture(scope="session")
def sail_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    yield from _home("sail", tmp_path_factory)


@pytest.fixture(scope="session")
def spark_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    java_or_loud_skip()
    yield from _home("spark", tmp_path_factory)


def _engine(settings: Settings) -> Engine:
    engine = Engine(settings, ensure_server(settings, say=print))
    assert engine.spark is not None
    return engine


@pytest.fixture(scope="session")
def sail_engine(sail_home: Settings) -> Engine:
    return _engine(sail_home)


@pytest.fixture(scope="session")
def spark_engine(spark_home: Settings) -> Engine:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(
            "SPARK_CONNECT_MODE_ENABLED", raising=False
        )  # Sail's session set it, and no JVM starts where it is set
        engine = _engine(spark_home)
    engine.spark.conf.set(
        "spark.sql.adaptive.enabled", "false"
    )  # many joins of few rows, each of which it would plan again
    return engine


@pytest.fixture(scope="module")
def in_utc() -> Iterator[None]:
    """Set the process's zone, in which pyspark hands out times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture(scope="module")
def sail(sail_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Lakegate:
    return Lakegate(sail_engine, tmp_path_factory.mktemp("sail"))


@pytest.fixture(scope="module")
def spark(spark_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Lakegate:
    return Lakegate(spark_engine, tmp_path_factory.mktemp("spark"))


@pytest.fixture(scope="module")
def gx(tmp_path_factory: pytest.TempPathFactory) -> Gx:
    return Gx(tmp_path_factory.mktemp("gx"))
