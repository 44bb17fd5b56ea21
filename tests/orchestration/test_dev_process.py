"""Services of `lakegate dev` end by each signal that asks for it, all of them,
and outlive a hangup under nohup.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from tests.support.places import ROOT

ENDS = 60.0
"""Seconds that it may take here."""
SERVICE = """
import signal, subprocess, sys, time
if sys.argv[1] == "deaf":
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    print("ready", flush=True)
    time.sleep(60)
subprocess.Popen([sys.executable, "-c", open(sys.argv[1]).read(), "deaf"])
asked = []
signal.signal(signal.SIGINT, lambda *_: asked.append(1))
while not asked:
    time.sleep(0.05)
time.sleep(0.5)
print("asked", len(asked), flush=True)
"""
STARTER = """
import sys
from pathlib import Path
from assets.web.dev_process import run_services
sys.exit(run_services([sys.executable, sys.argv[1], sys.argv[1]], {}, folder=Path.cwd(), say=lambda _: None))
"""


def test_services_end_by_each_signal_and_so_does_one_of_theirs_that_heeds_none(tmp_path: Path) -> None:
    (script := tmp_path / "service.py").write_text(SERVICE)
    made = []
    for asked, ignored in (
        (signal.SIGINT, signal.SIGINT),
        (signal.SIGTERM, None),
        (signal.SIGHUP, None),
        (signal.SIGTERM, signal.SIGHUP),
    ):
        before = signal.signal(ignored, signal.SIG_IGN) if ignored else None
        command = [sys.executable, "-c", STARTER, str(script)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, process_group=0)
        if ignored:
            signal.signal(ignored, before)
        made.append((process, asked, ignored))
    below = []
    for process, _, ignored in made:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        below.append(psutil.Process(process.pid).children(recursive=True))
        if ignored is signal.SIGHUP:  # by nohup
            os.kill(process.pid, ignored)
    for process, asked, _ in made:
        assert process.poll() is None
        os.kill(process.pid, asked)
    for process, asked, ignored in made:
        assert process.wait(ENDS) == 0, (asked, ignored)
        assert process.stdout
        assert process.stdout.read() == "asked 1\n", (asked, ignored)
    assert [len(two) for two in below] == [2] * len(made)
    assert [
        one for two in below for one in two if one.is_running() and one.status() != psutil.STATUS_ZOMBIE
    ] == []
