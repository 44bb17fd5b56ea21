"""lakeFS's own client, and the models and errors that calls name: the one module that imports it.

Importing it would build a model of the arguments of each of its 292 calls, which takes a sixth of a small
command's time. Here each model is built when its call is first made.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import pydantic.v1

BUILDER: Final = "validate_arguments"
_build: Final = pydantic.v1.validate_arguments


def _when_called(call: Callable[..., Any]) -> Callable[..., Any]:
    """The check of a call's arguments, built when it is first called."""

    @functools.cache
    def checked() -> Callable[..., Any]:
        return _build(call)

    @functools.wraps(call)
    def first(*args: Any, **kwargs: Any) -> Any:
        return checked()(*args, **kwargs)

    return first


setattr(pydantic.v1, BUILDER, _when_called)
try:
    from lakefs.client import Client
    from lakefs_sdk.exceptions import ApiException
    from lakefs_sdk.models import (
        BranchCreation,
        CommitCreation,
        Merge,
        RepositoryCreation,
        StagingLocation,
        StagingMetadata,
        TagCreation,
    )
finally:
    setattr(pydantic.v1, BUILDER, _build)

__all__ = [
    "ApiException",
    "BranchCreation",
    "Client",
    "CommitCreation",
    "Merge",
    "RepositoryCreation",
    "StagingLocation",
    "StagingMetadata",
    "TagCreation",
]
