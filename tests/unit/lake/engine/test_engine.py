"""What an engine's errors become, and what the process's environment becomes before one starts."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from pyspark.errors.exceptions.connect import (
    NumberFormatException,
    SparkConnectGrpcException,
    SparkRuntimeException,
)

from lake.engine import engine, startup
from lake.engine.environment import prepare_environment
from lake.engine.errors import engine_errors
from lake.engine.spark_jars import jars_at_hand
from lakegate.errors import LakegateError, Transient
from lakegate.home import Endpoint
from lakegate.settings import Settings


class Lost(grpc.RpcError):
    """An answer as grpc raises it, with a value in its text."""

    def __init__(self, status: grpc.StatusCode, text: str) -> None:
        super().__init__(text)
        self.status = status

    def code(self) -> grpc.StatusCode:
        return self.status


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (Lost(grpc.StatusCode.INTERNAL, "Exception deserializing response! Anna"), Transient),
        (Lost(grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE: Anna"), Transient),
        (Lost(grpc.StatusCode.INTERNAL, "cast of Anna failed"), LakegateError),
        (SparkConnectGrpcException("Exception deserializing response! Anna"), Transient),
        (SparkConnectGrpcException("cast of Anna failed"), LakegateError),
        (
            SparkRuntimeException("Cast error: Cannot cast string 'Anna timed out' to value of Int32 type"),
            LakegateError,
        ),
        (
            NumberFormatException(
                "[CAST_INVALID_INPUT] The value 'Anna: connection refused' of the type \"STRING\""
            ),
            LakegateError,
        ),
        (
            SparkRuntimeException("External error: Anna: error sending request for url (http://127.0.0.1:9)"),
            Transient,
        ),
    ],
)
def test_engines_error_becomes_ours_without_its_text(raised: Exception, kind: type[LakegateError]) -> None:
    with pytest.raises(LakegateError) as caught, engine_errors("counting"):
        raise raised
    assert type(caught.value) is kind
    assert "Anna" not in str(caught.value)
    assert caught.value.__suppress_context__
    assert caught.value.fix.startswith("run it again") is (kind is Transient)


def test_grpc_status_is_named() -> None:
    with pytest.raises(Transient, match="UNAVAILABLE"), engine_errors("counting"):
        raise Lost(grpc.StatusCode.UNAVAILABLE, "unavailable")


@pytest.mark.parametrize(
    ("given", "exempt"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"no_proxy": "corp, 127.0.0.1"}, "corp,127.0.0.1,localhost"),
        ({"no_proxy": "corp", "NO_PROXY": "corp,other"}, "corp,other,127.0.0.1,localhost"),
        ({"NO_PROXY": "*"}, "*,127.0.0.1,localhost"),
    ],
)
def test_proxy_never_stands_before_loopback(
    given: dict[str, str], exempt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY", "GX_ANALYTICS_ENABLED"):
        monkeypatch.setenv(name, "restored by pytest")
        monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    prepare_environment()
    prepare_environment()
    assert os.environ["no_proxy"] == os.environ["NO_PROXY"] == exempt
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"


def test_spark_that_did_not_start_blames_java_only_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("Anna")

    monkeypatch.setattr(startup, "_local_spark", fails)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    settings = Settings.load(home=tmp_path, project=tmp_path, environ={"LAKEGATE_ENGINE": "spark"})
    said = []
    for java in ("/opt/jdk/bin/java", None):
        monkeypatch.setattr(shutil, "which", lambda *_, java=java, **__: java)
        with pytest.raises(LakegateError, match="did not start") as caught:
            _ = engine.Engine(settings, Endpoint("http://127.0.0.1:9", "key", "secret")).spark
        said.append(str(caught.value))
    assert "/opt/jdk/bin/java" in said[0]
    assert "there is none" not in said[0]
    assert "there is none" in said[1]
    assert not any("Anna" in text for text in said)


def test_first_spark_on_a_machine_fetches_its_jars_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once, most, guard, jar, other = (
        0,
        0,
        threading.Lock(),
        tmp_path / "cache" / "jars" / "a jar.jar",
        tmp_path / "of somebody's.jar",
    )
    jar.parent.mkdir(parents=True)
    jar.touch()
    other.touch()

    def start(*, fails: bool = False) -> None:
        nonlocal at_once, most
        with contextlib.suppress(RuntimeError), jars_at_hand(tmp_path / "cache") as jars:
            with guard:
                at_once += 1
                most = max(most, at_once)
            time.sleep(0.05)
            with guard:
                at_once -= 1
            if fails:
                raise RuntimeError
            jars.note(f"{jar.as_uri()},{other},{jar}")

    def together(number: int) -> int:
        nonlocal most
        most = 0
        with ThreadPoolExecutor(number) as pool:
            list(pool.map(lambda _: start(), range(number)))
        return most

    start(fails=True)  # which leaves it to the next one
    assert together(3) == 1
    assert together(3) > 1
    with jars_at_hand(tmp_path / "cache") as jars:
        assert jars.options == {"spark.jars": f"{jar},{jar}"}, "what Ivy gave the first"
    (tmp_path / "spark-defaults.conf").write_text(f"# ours\nspark.jars  {other}\n")
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))
    with jars_at_hand(tmp_path / "cache") as jars:
        assert "spark.jars.packages" in jars.options, "as files they would replace somebody's own"
    monkeypatch.delenv("SPARK_CONF_DIR")
    jar.unlink()
    with jars_at_hand(tmp_path / "cache") as jars:
        assert "spark.jars.packages" in jars.options, "a jar is gone, so all are asked for again"


def test_folder_of_jars_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(LakegateError, match="Spark's jars can't be kept") as caught,
        jars_at_hand(tmp_path / "file" / "x"),
    ):
        raise AssertionError
    assert str(tmp_path / "file" / "x") in str(caught.value)
