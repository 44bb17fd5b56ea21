"""Spark's ports and files give another account of the machine nothing;
see tests/integration/security/test_strangers.py for Sail's and lakeFS's.
"""

from __future__ import annotations

import stat
from pathlib import Path

import psutil

from lake.engine.engine import Engine
from tests.support.security.stranger_process import Stranger, can_be_other


@can_be_other
def test_spark_gives_a_stranger_no_row_no_block_and_no_call(spark_engine: Engine) -> None:
    from pyspark import SparkContext

    context = SparkContext._active_spark_context
    assert context is not None
    statement = "select concat('hid', 'den') as a"
    spark_engine.spark.sql(f"cache table kept as {statement}")
    try:
        blocks = [f"rdd_{number}_0" for number in context._jsc.getPersistentRDDs()]
        assert blocks
        me = psutil.Process()
        (java,) = (one for one in me.children(recursive=True) if one.name() == "java")
        listening = [
            one.laddr
            for process in (me, java)
            for one in process.net_connections("inet")
            if one.status == psutil.CONN_LISTEN
        ]
        assert {address.ip.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}
        assert len(listening) >= 4, "of the driver, its blocks, py4j and Spark Connect"
        for address in listening:
            got = Stranger("spark", address.port, *blocks).got()
            assert not [1 for kind, _ in got[:-1] if kind not in {0, 5}], got
            assert "hidden" not in str(got)
            assert "Unsupported message" not in str(got), "it was read, and refused by its content only"
            assert not got[-1].startswith("!y"), got
    finally:
        spark_engine.spark.sql("uncache table kept")
    port = spark_engine.spark.client._builder.endpoint.rpartition(":")[2]
    token = context.__dict__["_lakegate_token"]
    for given in ((), ("a-guess",)):
        assert "UNAUTHENTICATED" in str(Stranger("query", port, statement, *given).got())
    told = " ".join(java.cmdline())
    assert not [
        secret for secret in (token, context._gateway.gateway_parameters.auth_token) if secret in told
    ]
    for folder in context._jvm.org.apache.spark.SparkEnv.get().blockManager().diskBlockManager().localDirs():
        assert stat.S_IMODE(Path(folder.getPath()).parent.stat().st_mode) == 0o700, (
            "Spark's own are for all to read"
        )
