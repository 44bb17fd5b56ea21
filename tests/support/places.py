"""Where the checkout lies, for tests that run its commands or read its pages."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
"""The top of the checkout, which is also the demo's project."""
