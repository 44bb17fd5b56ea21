"""Arguments first, then LAKEGATE_*, then defaults; a value that can't be is refused where it is read."""

import pickle
from pathlib import Path

import pytest

from lakegate.errors import UsageError
from lakegate.home import Endpoint
from lakegate.settings import GIB, Settings

EXTERNAL = {
    "LAKEGATE_LAKEFS_URL": "https://lakefs.example.org:8000/",
    "LAKEGATE_LAKEFS_KEY_ID": "key",
    "LAKEGATE_LAKEFS_SECRET": "hush",
    "LAKEGATE_LAKEFS_NAMESPACE": "s3://bucket/lakegate",
}


def load(**env):
    return Settings.load(environ=env)


def test_empty_environment_gives_the_defaults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = load()
    assert found.home.root == tmp_path / ".lakegate"
    assert (found.tenant, found.repository, found.engine, found.memory) == (
        "default",
        "lakegate-default",
        "sail",
        GIB,
    )
    assert (found.lakefs, found.lakefs_namespace, found.lakefs_binary, found.scratch) == (
        None,
        None,
        None,
        None,
    )
    assert found.scratch_dir == found.home.scratch
    assert found.spark_remote == "local[2]"
    assert found.cache == Path("~/.cache/lakegate").expanduser()
    assert (found.project / "lakegate").is_dir()


def test_lake_of_the_users_own_is_the_project(tmp_path, monkeypatch):
    (tmp_path / "catalog" / "contracts").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert load().project == tmp_path


def test_settings_are_all_read_from_the_environment(tmp_path):
    found = load(
        LAKEGATE_HOME=str(tmp_path / "h"),
        LAKEGATE_PROJECT=str(tmp_path),
        LAKEGATE_TENANT="acme_eu",
        LAKEGATE_ENGINE="spark",
        LAKEGATE_MEMORY="123",
        LAKEGATE_SCRATCH=str(tmp_path / "s"),
        LAKEGATE_CACHE=str(tmp_path / "c"),
        LAKEGATE_LAKEFS=str(tmp_path / "lakefs"),
        LAKEGATE_SPARK_REMOTE="sc://host:15002",
        **EXTERNAL,
    )
    assert (found.home.root, found.project, found.cache) == (tmp_path / "h", tmp_path, tmp_path / "c")
    assert (found.tenant, found.repository, found.engine, found.memory) == (
        "acme_eu",
        "lakegate-acme-eu",
        "spark",
        123,
    )
    assert (found.scratch_dir, found.lakefs_binary, found.spark_remote) == (
        tmp_path / "s",
        tmp_path / "lakefs",
        "sc://host:15002",
    )
    assert found.lakefs == Endpoint("https://lakefs.example.org:8000", "key", "hush")
    assert found.lakefs_namespace == "s3://bucket/lakegate"


def test_arguments_go_before_the_environment(tmp_path):
    env = {"LAKEGATE_HOME": "/elsewhere", "LAKEGATE_PROJECT": "/elsewhere", "LAKEGATE_TENANT": "other"}
    found = Settings.load(home=tmp_path / "h", project=tmp_path, tenant="mine", environ=env)
    assert (found.home.root, found.project, found.tenant) == (tmp_path / "h", tmp_path, "mine")
    assert found.with_home(tmp_path / "i").home.root == tmp_path / "i"


def test_cache_follows_the_desktop_standard(tmp_path):
    assert load(XDG_CACHE_HOME=str(tmp_path)).cache == tmp_path / "lakegate"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LAKEGATE_ENGINE", "duckdb"),
        ("LAKEGATE_TENANT", "No/Way"),
        *(("LAKEGATE_MEMORY", value) for value in ("", "0", "-1", "1.5", "2g", "²", "٣", "9" * 5000)),
    ],
)
def test_value_that_can_not_be_is_refused(name, value):
    with pytest.raises(UsageError) as caught:
        load(**{name: value})
    assert caught.value.fix


@pytest.mark.parametrize("left_out", sorted(EXTERNAL))
def test_half_an_external_lakefs_is_refused_and_names_what_lacks(left_out):
    with pytest.raises(UsageError, match=left_out):
        load(**{name: value for name, value in EXTERNAL.items() if name != left_out})


@pytest.mark.parametrize(
    "url", ["lakefs:8000", "s3://bucket", "http://host/api/v1", "http://", "http://key:hush@host"]
)
def test_address_that_is_none_is_refused(url):
    with pytest.raises(UsageError, match="LAKEGATE_LAKEFS_URL"):
        load(**{**EXTERNAL, "LAKEGATE_LAKEFS_URL": url})


def test_printed_settings_show_no_secret():
    found = load(**EXTERNAL)
    assert "hush" not in repr(found)
    assert "hush" not in str(found.lakefs)
    assert pickle.loads(pickle.dumps(found)) == found


@pytest.mark.parametrize("name", ["a\nb", "a\rb", "a\x1b[31mb", "a\u2028b", "a\x00b", "a\udc80b"])
@pytest.mark.parametrize("setting", ["home", "LAKEGATE_HOME", "LAKEGATE_SCRATCH"])
def test_folder_that_no_server_can_be_told_of_is_refused_and_nothing_is_made(
    tmp_path: Path, name: str, setting: str
) -> None:
    given = str(tmp_path / name)
    with pytest.raises(UsageError) as told:
        Settings.load(
            home=given if setting == "home" else None,
            project=tmp_path,
            environ={} if setting == "home" else {setting: given},
        )
    assert str(told.value).encode()
    assert "\x1b" not in str(told.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a%20b", "a?b", "a~b", "~a", "a b", "é", "a#b", "a'\"b"])
def test_other_names_of_a_home_are_taken_as_they_are(tmp_path: Path, name: str) -> None:
    assert Settings.load(home=tmp_path / name, project=tmp_path, environ={}).home.root == tmp_path / name


def test_folder_of_a_user_whom_nobody_knows_is_refused(tmp_path: Path) -> None:
    for setting in (
        "LAKEGATE_HOME",
        "LAKEGATE_SCRATCH",
        "LAKEGATE_CACHE",
        "LAKEGATE_PROJECT",
        "LAKEGATE_LAKEFS",
    ):
        with pytest.raises(UsageError, match="no such user"):
            Settings.load(environ={"LAKEGATE_PROJECT": str(tmp_path)} | {setting: "~nobody-of-this-name/x"})
