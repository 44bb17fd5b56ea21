"""A version opened for reading gives every row of its manifest in the manifest's types,
or says what is wrong.
"""

import subprocess
import sys
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from lakegate import open_snapshot
from lakegate.errors import IntegrityError, UsageError, VersionNotFound
from tests.support.reader.snapshot_lake import EXPECTED, NOON, OTHER, SAIL, SCHEMA, rows

pytestmark = pytest.mark.usefixtures("no_settings")


def test_version_reads_back_row_for_row(lake):
    lake.publish([lake.table("a.parquet", rows(0, 5)), lake.table("b.parquet", rows(5, 3))])
    table = lake.open().arrow()
    assert table.schema.equals(EXPECTED)
    assert sorted(table.to_pylist(), key=lambda row: row["_row"]) == rows(0, 8)


def test_snapshot_tells_what_it_is(lake):
    manifest = lake.publish([lake.table("a.parquet", rows(0, 5))])
    snapshot = lake.open()
    assert (str(snapshot.name), snapshot.manifest, snapshot.files) == ("flights@v1", manifest, manifest.files)
    assert snapshot.schema == [(column["name"], column["type"]) for column in SCHEMA]
    assert (
        snapshot.columns
        == snapshot.arrow().column_names
        == [*(name for name, _ in snapshot.schema), "_drop", "_row"]
    )
    assert [str(parent.name) for parent in snapshot.parents] == ["airports@v1"]
    assert len(repr(snapshot)) < 120
    with pytest.raises(AttributeError):
        snapshot.name = "other"


def test_files_of_different_writers_become_one_schema(lake):
    lake.publish([lake.table("sail.parquet", rows(0, 4)), lake.table("spark.parquet", rows(4, 4), OTHER)])
    table = lake.open().arrow()
    assert table.schema.equals(EXPECTED)
    assert sorted(table.to_pylist(), key=lambda row: row["_row"]) == rows(0, 8)


def test_old_spark_timestamps_are_the_same_instants(lake):
    lake.publish([lake.table("a.parquet", rows(0, 2), use_deprecated_int96_timestamps=True)])
    assert lake.open().arrow(["time_hour"]).column(0).to_pylist() == [NOON, NOON]


def test_column_younger_than_a_file_reads_as_null(lake):
    old = [{key: value for key, value in row.items() if key != "delay"} for row in rows(0, 2)]
    lake.publish([lake.table("old.parquet", old, SAIL.remove(SAIL.get_field_index("delay")))])
    assert lake.open().arrow(["delay"]).to_pydict() == {"delay": [None, None]}


def test_column_that_lies_in_the_path_is_not_taken_for_null(lake):
    lost = SAIL.remove(SAIL.get_field_index("dest"))
    file = lake.table(
        "a.parquet", [{key: value for key, value in row.items() if key != "dest"} for row in rows(0, 2)], lost
    )
    lake.publish([replace(file, path="flights/dest=BQN/a.parquet")])
    with pytest.raises(IntegrityError, match="dest lies in the path"):
        lake.open().arrow()


@pytest.mark.parametrize("kind", [pa.int64(), pa.binary(), pa.bool_()])
def test_file_of_another_type_is_refused_not_converted(lake, kind):
    data = [{**row, "dest": {"int64": 7, "binary": b"7", "bool": True}[str(kind)]} for row in rows(0, 2)]
    lake.publish([lake.table("a.parquet", data, SAIL.set(0, pa.field("dest", kind)))])
    with pytest.raises(IntegrityError, match=f"flights@v1, flights/a.parquet: column dest is {kind}"):
        lake.open().arrow()


def test_value_that_does_not_fit_is_refused_without_being_quoted(lake):
    data = [{**row, "flight": 2**63 + 4711} for row in rows(0, 1)]
    lake.publish([lake.table("a.parquet", data, SAIL.set(1, pa.field("flight", pa.uint64())))])
    with pytest.raises(IntegrityError) as caught:
        lake.open().arrow()
    assert str(2**63 + 4711) not in str(caught.value)
    assert caught.value.__suppress_context__


def test_type_that_this_release_does_not_know_is_named(lake):
    lake.publish([lake.table("a.parquet", rows(0, 1))], schema=[{"name": "dest", "type": "geometry"}])
    with pytest.raises(IntegrityError, match="geometry"):
        lake.open().arrow()


def test_version_of_no_rows_still_has_its_columns(lake):
    lake.publish([])
    assert lake.open().arrow().schema.equals(EXPECTED)
    lake.publish([lake.table("a.parquet", [])], version=2)
    assert lake.open("flights@v2").arrow().num_rows == 0


def test_columns_come_in_the_order_asked_for(lake):
    lake.publish([lake.table("a.parquet", rows(0, 3))])
    assert lake.open().arrow(["_row", "dest"]).column_names == ["_row", "dest"]
    assert lake.open().arrow("flight").column_names == ["flight"]


@pytest.mark.parametrize(
    ("columns", "text"), [(["dst"], "no column 'dst'"), (["dest", "dest"], "twice"), ([], "none")]
)
def test_columns_that_can_not_be_are_refused_at_once(lake, columns, text):
    lake.publish([lake.table("a.parquet", rows(0, 3))])
    for read in (lake.open().arrow, lake.open().batches):
        with pytest.raises(UsageError, match=text):
            read(columns)


def test_batches_hold_one_row_group_at_a_time(lake):
    lake.publish(
        [lake.table("a.parquet", rows(0, 1000), row_group_size=100), lake.table("b.parquet", rows(1000, 50))]
    )
    batches = list(lake.open().batches(["_row"]))
    assert max(batch.num_rows for batch in batches) == 100
    assert pc.sum(pa.Table.from_batches(batches).column(0)).as_py() == sum(range(1050))


def test_polars_and_pandas_give_the_same_rows(lake):
    lake.publish([lake.table("a.parquet", [*rows(0, 3), {**rows(3, 1)[0], "flight": None}])])
    pl, pd = pytest.importorskip("polars"), pytest.importorskip("pandas")
    assert lake.open().polars(["flight"])["flight"].to_list() == [0, 1, 2, None]
    frame = lake.open().pandas(["flight", "late"])
    assert frame["flight"].dtype == pd.Int64Dtype()
    assert frame["flight"].isna().tolist() == [False, False, False, True]
    assert isinstance(lake.open().polars(), pl.DataFrame)


@pytest.mark.parametrize("module", ["polars", "pandas"])
def test_missing_extra_is_named(lake, monkeypatch, module):
    lake.publish([lake.table("a.parquet", rows(0, 1))])
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UsageError, match=rf"pip install 'lakegate\[{module}\]'"):
        getattr(lake.open(), module)()


def test_moved_home_reads_the_same(lake, tmp_path):
    lake.publish([lake.table("a.parquet", rows(0, 5))])
    lake.home.root.rename(tmp_path / "moved")
    (tmp_path / "linked").symlink_to(tmp_path / "moved")
    assert open_snapshot("flights@v1", home=tmp_path / "linked").arrow().num_rows == 5


def test_unknown_version_lists_the_closest_and_the_latest(lake):
    for version in (1, 2, 3, 8, 9, 10, 11, 30):
        lake.publish([], version=version)
    with pytest.raises(VersionNotFound) as caught:
        lake.open("flights@v7")
    assert (
        "closest flights@v3, flights@v8, flights@v9, flights@v10, flights@v11, latest flights@v30"
        in caught.value.fix
    )
    assert "`lakegate up` rebuilds" in caught.value.fix


def test_unknown_table_lists_the_tables_there_are(lake):
    lake.publish([])
    with pytest.raises(VersionNotFound, match="flights"):
        lake.open("fligths@v1")
    with pytest.raises(VersionNotFound, match="tenant acme has no version here at all"):
        open_snapshot("flights@v1", home=lake.home.root, tenant="acme")


def test_home_that_does_not_exist_is_named(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="LAKEGATE_HOME") as caught:
        open_snapshot("flights@v1", home=tmp_path / "nowhere")
    assert str(tmp_path / "nowhere") in str(caught.value)
    assert not (tmp_path / "nowhere").exists()
    monkeypatch.setenv("LAKEGATE_HOME", str(tmp_path))
    with pytest.raises(UsageError, match="no Lakegate home"):
        open_snapshot("flights@v1")


def test_importing_the_reader_does_not_import_arrow():
    code = (
        "import sys, lakegate; print([name for name in ('pyarrow', "
        "'polars', 'pandas', 'numpy') if name in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )
