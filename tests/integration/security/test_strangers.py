"""What another account of the machine, or another process, gets of what Lakegate opens: no file, no query,
no key.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from lake.lakefs.repository import Repository
from lake.server.lifecycle import ensure_server, server_status, stop_server
from lake.server.state_files import read_server
from lake.session import open_session
from lakegate.errors import LakegateError
from lakegate.settings import Settings
from tests.support.security.stranger_process import Stranger, can_be_other, each_stranger, sitting

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="sockets are told apart by /proc and seccomp, which are Linux's"
)


@pytest.mark.server
@each_stranger
def test_keys_never_go_to_whoever_took_a_dead_servers_port(settings: Settings, account: int) -> None:
    """Neither from a command that begins then, nor from one that was at work when the server died."""
    at_work = open_session(settings, say=print)
    recorded = read_server(settings.home)
    assert recorded is not None
    os.kill(recorded.pid, signal.SIGKILL)
    while psutil.pid_exists(recorded.pid):
        time.sleep(0.01)
    for client in ("_api", "_s3"):  # as where the pool's connection is gone
        vars(at_work.repository).pop(client, None)
    with sitting(recorded.port, account=account) as stranger:
        assert server_status(settings.home).state == "stopped"
        assert at_work.repository.commit_of("main")
        assert at_work.endpoint.url != f"http://127.0.0.1:{recorded.port}"
        other = open_session(settings, say=print)
        assert other.repository.commit_of("main") == at_work.repository.commit_of("main")
    said = stranger.got()
    assert "authorization" not in str(said).lower(), said
    assert other.endpoint.secret not in str(said)
    stop_server(settings.home)


@pytest.mark.server
@can_be_other
def test_down_by_another_account_keeps_the_record_of_a_living_server() -> None:
    """In a home that both may write to; of a server that died nothing is kept."""
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders let no other account through
        home = Settings.load(home=Path(folder) / "home", environ={}).home
        ensure_server(Settings.load(home=home.root, environ={}), say=print)
        recorded = read_server(home)
        assert recorded is not None
        for path in (home.root.parent, home.root, home.lakefs):
            path.chmod(0o777)
        for path in (home.server_file, home.lakefs / "lock"):
            path.chmod(0o666)
        said = str(Stranger("down", home.root).got())
        assert f"lakeFS (process {recorded.pid}) is root's, and goes on" in said, said
        assert "run it as root" in said
        assert read_server(home) == recorded
        assert server_status(home).state == "running"
        psutil.Process(recorded.pid).kill()
        while psutil.pid_exists(recorded.pid):
            time.sleep(0.01)
        assert Stranger("down", home.root).got() is False
        assert read_server(home) is None


@pytest.mark.server
def test_connection_that_somebody_else_answers_carries_no_key(settings: Settings) -> None:
    """Also without a look at the server before: each new connection is proved by itself."""
    endpoint = ensure_server(settings, say=print)
    stop_server(settings.home)
    port = int(endpoint.url.rpartition(":")[2])
    repository = Repository(endpoint, "any", namespace="local://any", proved=lambda: False)
    with sitting(port) as stranger, pytest.raises(LakegateError, match="does not answer"):
        repository.commit_of("main")
    assert "authorization" not in str(stranger.got()).lower()


UNASKED = {
    "/api/v1/auth/capabilities": '{"invite_user":false}',
    "/api/v1/healthcheck": "",
    "/api/v1/oidc/callback": "",
    "/api/v1/setup_lakefs": "initialized",
    "/api/v1/user": '"id":""',
}
"""What lakeFS's API answers to somebody without keys, and a part of what it says: docs/security.md tells it.
"""


@pytest.mark.server
@each_stranger
def test_lakefs_tells_a_stranger_nothing_of_what_it_holds(lakefs_home: Settings, account: int) -> None:
    session = open_session(lakefs_home, say=print)
    session.repository.put("main", "of_the_lake", b"inside the lake")
    url = session.endpoint.url
    described = json.loads(Stranger("http", f"{url}/openapi.json", account=account).got()[1])["paths"]
    asked = [path for path, calls in described.items() if "get" in calls]
    filled = {
        f"/api/v1{path}".replace("{repository}", session.repository.name)
        .replace("{ref}", "main")
        .replace("{branch}", "main")
        for path in asked
    }
    plain = [f"{url}{path.replace('{', '').replace('}', '')}" for path in sorted(filled)]
    found = Stranger("several", *plain, account=account).got()
    assert len(found) > 50
    answered = {path.removeprefix(url): text for path, (status, text) in found.items() if status < 400}
    assert set(answered) <= set(UNASKED), answered
    assert all(UNASKED[path] in text and bool(UNASKED[path]) == bool(text) for path, text in answered.items())
    beside = Stranger(
        "several",
        *(f"{url}{path}" for path in ("/metrics", "/_health", "/", "/_pprof/goroutine?debug=2")),
        account=account,
    ).got()
    for text in (
        session.repository.name,
        "of_the_lake",
        "inside the lake",
        session.endpoint.key_id,
        session.endpoint.secret,
    ):
        assert text not in str(beside)


@pytest.mark.server
@each_stranger
def test_administrator_of_a_new_lakefs_is_nobody_else(settings: Settings, account: int) -> None:
    watcher = Stranger("set_up", 4, account=account)
    assert watcher.said() == "watching"
    port = int(ensure_server(settings, say=print).url.rpartition(":")[2])
    met = [status for where, status in watcher.got() if where == port]
    assert met
    assert set(met) <= {0, 409}
