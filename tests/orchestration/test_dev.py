"""`lakegate dev`: what others get of it, and what stays behind of it."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest

from assets.report import report
from lake.pipeline.ingest import ingest
from lake.reports.data_docs import write_docs
from lake.server.state_files import read_server
from lake.session import Session, open_session
from lakegate.settings import Settings
from tests.support.orchestration.browser import CHROMIUM, browser
from tests.support.places import ROOT
from tests.support.security.hostile_texts import acts
from tests.support.security.stranger_process import Stranger, each_stranger

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(sys.platform != "linux", reason="what processes hold open is read from /proc"),
]

STARTS, ENDS = 120.0, 60.0
"""Seconds that it may take here."""
ENDS_IT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ASKED = ENDS_IT if "LAKEGATE_DEV_SIGNALS" in os.environ else random.SystemRandom().sample(ENDS_IT, 1)
"""All of them by hand."""
LAUNCH = '{"query": "mutation { reloadWorkspace { __typename } }"}'


@dataclass
class Dev:
    process: subprocess.Popen[str]
    link: str

    @property
    def url(self) -> str:
        return self.link.partition("/?")[0]

    @property
    def token(self) -> str:
        return self.link.partition("token=")[2]

    def below(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


def started(settings: Settings) -> Dev:
    """Alone in its process group, as a service manager starts it, and ready."""
    command = [
        sys.executable,
        "-m",
        "cli.main",
        "dev",
        "--home",
        str(settings.home.root),
        "--project",
        str(settings.project),
    ]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, process_group=0
    )
    assert process.stdout
    found = re.search(r"http://\S+", process.stdout.readline())
    assert found
    dev, end = Dev(process, found[0]), time.monotonic() + STARTS
    bearer = f"Authorization: Bearer {dev.token}"
    while (
        Stranger("http", f"{dev.url}/graphql", "POST", '{"query": "{version}"}', bearer, account=0).got()[0]
        != 200
    ):
        assert time.monotonic() < end
        assert process.poll() is None
    return dev


@pytest.fixture(scope="module")
def hostile(lakefs_home: Settings, tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A lake of one contract and one file, every text of which would be code."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "catalog" / "contracts").mkdir(parents=True)
    (folder / "catalog/contracts/evil.odcs.yaml").write_text(CONTRACT.replace("CODE", json.dumps(CODE)))
    delivered = folder / "<img src=x onerror=window.RAN=1>\u202egnp.csv"
    rows = ("1,ok", f"2,{NAMES}", f'3,"{NAMES}"', "4,\u202e\x1b[31m[/foo]")
    delivered.write_text("\n".join(["ride,text", *rows, ""]))
    session = open_session(replace(lakefs_home, project=folder), say=print)
    results = list(ingest(session, "evil", [delivered]))
    assert [hop.version for hop in results[0].hops] == ["evil_raw@v1", "evil@v1"]
    report(session, results)
    return session


@pytest.fixture(scope="module")
def dev(hostile: Session) -> Iterator[Dev]:
    made = started(hostile.settings)
    yield made
    end(made, signal.SIGKILL)


def end(dev: Dev, name: signal.Signals) -> None:
    """A signal to its process alone; nothing of it is there afterwards."""
    below = dev.below() if dev.process.poll() is None else []
    if below:
        os.kill(dev.process.pid, name)
        dev.process.wait(ENDS)
    _, alive = psutil.wait_procs(below, timeout=ENDS)
    for process in alive:
        process.kill()
    assert alive == [], [process.cmdline() for process in alive]


CODE = (
    "</script><script>window.RAN=1</script><img src=http://elsewhere.example/x "
    "onerror=window.RAN=1>![x](http://elsewhere.example/y.png)"
    "<svg onload=window.RAN=1>[x](javascript:window.RAN=1)<style>@import "
    "'http://elsewhere.example/z'</style>{{ 7*7 }} ${x} \u202egnp.exe\u2066"
)
"""What pages of several kinds would run, fetch, or show the other way round."""
NAMES = "<script>window.RAN=1</script>"
CONTRACT = """
apiVersion: v3.2.0
kind: DataContract
id: evil
name: evil
version: 1.0.0
status: draft
team: {name: CODE}
tags: [CODE]
description: {purpose: CODE, usage: CODE, limitations: CODE}
schema:
  - name: evil
    description: CODE
    properties:
      - {name: ride, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1, \
description: CODE}
      - {name: text, logicalType: string, classification: public, description: CODE}
    quality:
      - id: known
        type: custom
        engine: greatExpectations
        severity: quarantine
        description: CODE
        implementation: {type: expect_column_values_to_be_in_set, kwargs: {column: text, value_set: [ok, \
CODE]}}
customProperties:
  - {property: writeMode, value: append}
  - {property: maxQuarantined, value: 1.0}
"""


@pytest.mark.skipif(
    CHROMIUM is None,
    reason="NOT TRIED: how a browser shows delivered text. Chromium isn't here: `apt install chromium`",
)
def test_no_delivered_text_is_code_for_a_browser(dev: Dev, hostile: Session, tmp_path: Path) -> None:
    """Data Docs, and Dagster's pages of a table, its checks and raw files: nothing runs,
    or is fetched from elsewhere.
    """
    index = write_docs(hostile, [], tmp_path / "docs")
    pages = {index.with_name("evil.v1.html").as_uri(): "must belong to this set", index.as_uri(): "evil@v1"}
    pages |= {
        f"{dev.url}/assets/{table}?view=overview&token={dev.token}": "Row count"
        for table in ("evil", "evil_raw")
    }
    pages[f"{dev.url}/assets/evil?view=checks"] = "About"
    shown = ""
    with browser(tmp_path / "profile") as opened:
        for address, shows in pages.items():
            seen = opened.open(address, shows=shows)
            assert (seen.ran, seen.alerts) == (None, []), address
            own = (
                (address,)
                if address.startswith("file:")
                else (f"{dev.url}/", f"{dev.url.replace('http', 'ws')}/", "data:", "blob:")
            )
            assert [asked for asked in seen.asked if not asked.startswith(own)] == [], address
            assert acts(seen.text) <= set("\n\t\u200b\u00a0"), address
            shown += seen.text
    assert shown.count("<svg onload=window.RAN=1>") >= 4, "in Data Docs, and of each column"


@each_stranger
def test_ui_lets_no_stranger_in(dev: Dev, lakefs_home: Settings, account: int) -> None:
    assert Stranger("http", dev.url, account=account).got()[0] == 401
    assert Stranger("http", f"{dev.url}/graphql", "POST", LAUNCH, account=account).got()[0] == 401
    assert Stranger("http", f"{dev.url}/graphql?query=mutation", account=account).got()[0] == 401
    if account:
        assert "Permission" in str(
            Stranger("read", lakefs_home.home.dagster / "ui-token", account=account).got()
        )
    assert (lakefs_home.home.dagster / "ui-token").stat().st_mode & 0o777 == 0o600


def test_ui_is_no_other_sites_tool(dev: Dev) -> None:
    """What a page of another site can have the owner's browser send, cookie and all."""
    graphql, cookie = f"{dev.url}/graphql", f"Cookie: lakegate={dev.token}"

    def status(url: str, method: str, body: str, *headers: str) -> int:
        return int(Stranger("http", url, method, body, cookie, *headers, account=0).got()[0])

    assert status(graphql, "POST", LAUNCH) == 200
    assert status(graphql, "POST", LAUNCH, "Origin: http://elsewhere.example") == 403
    assert status(graphql, "POST", LAUNCH, "Host: elsewhere.example:3000") == 421
    assert status(f"{graphql}?query=mutation%20%7BreloadWorkspace%7B__typename%7D%7D", "GET", "") == 405


def test_no_process_of_it_listens_to_strangers(dev: Dev) -> None:
    ports, paths = [], []
    for process in [psutil.Process(dev.process.pid), *dev.below()]:
        ports += [one.laddr for one in process.net_connections("inet") if one.status == psutil.CONN_LISTEN]
        paths += [
            one.laddr
            for one in process.net_connections("unix")
            if one.laddr and not str(one.laddr).startswith("@")
        ]
    assert [f"http://{address.ip}:{address.port}" for address in ports] == [dev.url]
    assert paths, "its code location listens on sockets in the file system"
    if os.geteuid() == 0:
        assert set(Stranger("unix", *set(paths)).got().values()) <= {"PermissionError", "FileNotFoundError"}


@pytest.mark.parametrize("how", ["asked", "killed"])
def test_signal_to_its_process_alone_ends_all_of_it(dev: Dev, hostile: Session, how: str) -> None:
    """A start takes long: one signal asks, another one each time; test_dev_process.py tries them all."""
    for name in [signal.SIGKILL] if how == "killed" else ASKED:
        if dev.process.poll() is not None:  # the one before ended the module's
            dev = started(hostile.settings)
        server = read_server(hostile.settings.home)
        assert server
        lakefs = psutil.Process(server.pid)
        print(name)
        end(dev, name)
        assert lakefs.is_running(), "lakeFS goes on"
