"""The law of replay: loosening rules and replaying gives what ingesting under the loose rules would have
given at first.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lake.server.lifecycle import stop_server
from lakegate.errors import Exit
from lakegate.settings import Settings
from tests.support.commands.command_line import CommandLine, Lake

pytestmark = pytest.mark.server

CONTRACT = """
apiVersion: v3.2.0
kind: DataContract
id: things
name: things
version: 1.0.0
status: draft
schema:
  - name: things
    properties:
      - {name: id, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: size, logicalType: integer, required: %(required)s}
      - {name: label, logicalType: string}
    quality:
      - id: size-range
        type: custom
        engine: greatExpectations
        severity: %(size)s
        implementation: {type: expect_column_values_to_be_between, kwargs: {column: size, min_value: 0, \
max_value: %(largest)d}}
      - id: label-form
        type: custom
        engine: greatExpectations
        severity: %(label)s
        implementation: {type: expect_column_values_to_match_regex, kwargs: {column: label, \
regex: "^[a-z]+$"}}
customProperties:
  - {property: writeMode, value: append}
"""
STRICT = {"required": "true", "size": "quarantine", "largest": 5, "label": "quarantine"}
LOOSER = st.fixed_dictionaries(
    {
        "required": st.sampled_from(["true", "false"]),
        "size": st.sampled_from(["quarantine", "warn"]),
        "largest": st.sampled_from([5, 8, 20]),
        "label": st.sampled_from(["quarantine", "warn"]),
    }
)
NUMBERS = count(1)
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["1", "4", "7", "12", "", "x"]),
        st.sampled_from(["ab", "AB", "", '"a,b"', "é"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


def files(drops: list[list[tuple[str, str, bool]]]) -> list[str]:
    """Deliveries whose keys differ from drop to drop; within one,
    a row may repeat the key of the row before.
    """
    made = []
    for number, rows in enumerate(drops):
        lines, key = ["id,size,label\n"], 0
        for size, label, repeats in rows:
            key += not repeats
            lines.append(f"d{number}k{key},{size},{label}\n")
        made.append("".join(lines))
    return made


@pytest.fixture(scope="module")
def lakes(
    tmp_path_factory: pytest.TempPathFactory, empty_home: Path, command_line: CommandLine
) -> Iterator[Lake]:
    """One home with a project of its own; each example takes tenants of its own."""
    project, home = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("law") / "home"
    (project / "catalog" / "contracts").mkdir(parents=True)
    shutil.copytree(empty_home, home)
    lake = Lake(Settings.load(home=home, project=project), command_line, home.parent / "files")
    yield lake
    stop_server(lake.settings.home)


def carried(lake: Lake, tenant: str, contracts: list[dict[str, Any]], drops: list[str]) -> dict[str, Any]:
    """Ingest drops under the first contract and replay under each further one;
    what a reader can see in the end.
    """
    path = lake.settings.project / "catalog" / "contracts" / "things.odcs.yaml"
    path.write_text(CONTRACT % contracts[0])
    paths = [
        lake.file(f"{tenant}/drop{number}.csv", content.encode()) for number, content in enumerate(drops)
    ]
    assert lake.run("ingest", "things", *paths, "--json", "--tenant", tenant).code in (
        Exit.OK,
        Exit.NONE_TAKEN,
    )
    for contract in contracts[1:]:
        path.write_text(CONTRACT % contract)
        assert lake.run("replay", "things", "--tenant", tenant).code == 0
    newest = lake.run("versions", "things", "--json", "--tenant", tenant).json[-1]
    aside = lake.run("quarantine", "things", "--json", "--tenant", tenant).json
    rows = sorted((item["drop"], item["row"]) for item in aside)
    return {"rows": newest["rows_total"], "content": newest["content_hash"], "aside": rows}


@settings(max_examples=5, derandomize=True, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(drops=st.lists(ROWS, min_size=1, max_size=3, unique_by=str), looser=LOOSER)
def test_replay_under_looser_rules_gives_what_they_would_have_given_at_first(
    lakes: Lake, drops: list[list[tuple[str, str, bool]]], looser: dict[str, Any]
) -> None:
    number, contents = next(NUMBERS), files(drops)
    replayed = carried(lakes, f"replayed{number}", [STRICT, looser, looser], contents)
    at_first = carried(lakes, f"first{number}", [looser], contents)
    assert replayed == at_first


def test_drops_of_one_row_and_drops_set_aside_whole_follow_one_another(lakes: Lake) -> None:
    """Sail once waited for ever in the join with the published keys:
    all rows of such a drop lie in one partition.
    """
    drops = [
        "id,size,label\na,x,ab\n",
        "id,size,label\nb,1,ab\n",
        "id,size,label\nc,1,ab\n",
        "id,size,label\nb,2,ab\n",
    ]
    found = carried(lakes, "single", [STRICT], drops)
    assert (found["rows"], len(found["aside"])) == (2, 2)
