"""Why versions stay, told shortly."""

from __future__ import annotations

from lake.living import by_reason


def test_versions_that_stay_for_one_reason_are_told_in_one_line() -> None:
    newest, used = "retention: among the newest 3", "delays-7 uses it"
    kept = {"rides@v12": newest, "rides@v2": used, "rides@v10": newest, "rides@v11": newest, "rides@v5": used, "fares@v1": newest}
    assert list(by_reason(kept)) == [("fares", "v1", newest), ("rides", "v2, v5", used), ("rides", "v10-v12", newest)]
    assert list(by_reason({})) == []
