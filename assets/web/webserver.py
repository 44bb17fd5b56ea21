"""Dagster's web server behind a door: `python -m dagster_webserver`, for those who have the token."""

from __future__ import annotations

from typing import Any

from assets.web.dev import TOKEN
from assets.web.door import Door
from lakegate.settings import Settings


def main() -> None:
    """Serve until it is interrupted."""
    import dagster_webserver.cli as served

    token = (Settings.load().home.dagster / TOKEN).read_text(encoding="ascii").strip()
    make = vars(served)["create_app_from_workspace_process_context"]

    def behind_a_door(*args: Any, **kwargs: Any) -> Any:
        return Door(make(*args, **kwargs), token)

    vars(served)["create_app_from_workspace_process_context"] = behind_a_door
    served.cli(auto_envvar_prefix="DAGSTER_WEBSERVER")


if __name__ == "__main__":
    main()
