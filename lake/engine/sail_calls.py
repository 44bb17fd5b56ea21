"""Calls to Sail stop once its process has ended: a stranger may have its port, and plans hold rows."""

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
    """Checks before each try of a call that the process lives; while it does, nobody else has its port."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        """Make the call, or raise Transient."""
        if self._process.poll() is not None:
            fix = "run it again; see whether the machine runs out of memory"
            raise Transient("Sail's process has ended", fix=fix)
        return continuation(details, request)

    intercept_unary_stream = intercept_stream_unary = intercept_stream_stream = intercept_unary_unary
