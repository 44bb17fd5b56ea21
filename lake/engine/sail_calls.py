"""Calls of Sail that go nowhere once its process has ended: whoever takes its port then is a stranger, and a plan holds rows."""

from __future__ import annotations

import subprocess
from typing import Any

import grpc  # type: ignore[import-untyped]

from lakegate.errors import Transient


class OfTheLiving(
    grpc.UnaryUnaryClientInterceptor,  # type: ignore[misc]
    grpc.UnaryStreamClientInterceptor,  # type: ignore[misc]
    grpc.StreamUnaryClientInterceptor,  # type: ignore[misc]
    grpc.StreamStreamClientInterceptor,  # type: ignore[misc]
):
    """Asks before each call, and each of its tries, whether the process lives; while it does nobody else has its port."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def _passed_on(self, continuation: Any, details: Any, request: Any) -> Any:
        if self._process.poll() is not None:
            raise Transient(
                "Sail's process has ended", fix="run it again; see whether the machine runs out of memory"
            )
        return continuation(details, request)

    intercept_unary_unary = intercept_unary_stream = intercept_stream_unary = intercept_stream_stream = (
        _passed_on
    )
