"""A home says which format it is in, and is refused rather than guessed at."""

import json
import threading

import pytest

from lakegate.errors import IntegrityError, LakegateError
from lakegate.home import Endpoint, Home


def test_new_home_is_made_with_its_format_and_for_its_owner_only(tmp_path):
    home = Home(tmp_path / "a" / "home").prepare()
    assert json.loads(home.format_file.read_text()) == {"format": 3}
    assert home.root.stat().st_mode & 0o077 == 0
    for folder in (home.lakefs, home.landing, home.spool, home.scratch, home.cache, home.dagster):
        assert folder.is_dir()


def test_preparing_twice_changes_nothing(tmp_path):
    home = Home(tmp_path / "home").prepare()
    before = home.format_file.stat()
    assert home.prepare() == home
    assert home.format_file.stat().st_mtime_ns == before.st_mtime_ns
    assert sorted(path.name for path in home.root.iterdir()) == [
        "cache",
        "dagster",
        "lakefs",
        "lakegate.json",
        "landing",
        "scratch",
        "spool",
    ]


def test_home_of_an_earlier_format_is_prepared_and_left_in_it(tmp_path):
    home = Home(tmp_path)
    for text, content in (('{"format": 1}', 1), ('{"format": 3, "from": 1}', 1), ('{"format": 3}', 3)):
        home.format_file.write_text(text)
        assert home.prepare().content_format() == content
        assert home.format_file.read_text() == text


TEXTS = [
    '{"format": 4}',
    '{"format": 3, "from": 4}',
    '{"format": 2}',
    '{"format": "1"}',
    "{}",
    "[]",
    "",
    "\x00",
]


@pytest.mark.parametrize("text", TEXTS)
def test_home_of_another_format_is_refused_and_left_alone(tmp_path, text):
    home = Home(tmp_path)
    home.format_file.write_text(text)
    with pytest.raises(IntegrityError, match=r"lakegate\.json.*up to 3|up to 3.*lakegate\.json"):
        home.prepare()
    assert [path.name for path in tmp_path.iterdir()] == ["lakegate.json"]
    assert home.format_file.read_text() == text


def test_home_that_can_not_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    for root in (tmp_path / "file", tmp_path / "file" / "home"):
        with pytest.raises(LakegateError, match="can't be written") as caught:
            Home(root).prepare()
        assert str(root) in str(caught.value)
        assert "LAKEGATE_HOME" in caught.value.fix
        assert caught.value.exit_code == 1


def test_processes_that_prepare_one_home_at_once_all_get_it(tmp_path):
    failed = []

    def prepare(root):
        try:
            Home(root).prepare()
        except LakegateError as error:
            failed.append(error)

    for turn in range(20):
        both = [threading.Thread(target=prepare, args=(tmp_path / str(turn),)) for _ in range(4)]
        for one in both:
            one.start()
        for one in both:
            one.join()
    assert failed == []


def test_home_without_a_server_on_record_has_no_address(tmp_path):
    assert Home(tmp_path).prepare().running_endpoint() is None


@pytest.mark.parametrize("server", ["", "[]", "{}", '{"port": "x"}', '{"port": null}'])
def test_damaged_record_of_the_server_means_no_address(tmp_path, server):
    home = Home(tmp_path).prepare()
    home.keys_file.write_text('{"key_id": "k", "secret": "s"}')
    home.server_file.write_text(server)
    assert home.running_endpoint() is None


def test_server_on_record_is_on_loopback(tmp_path):
    home = Home(tmp_path).prepare()
    home.keys_file.write_text('{"format": 1, "key_id": "k", "secret": "hush", "encrypt_secret": "e"}')
    home.server_file.write_text('{"format": 1, "pid": 1, "started": 1.0, "port": 8765}')
    assert home.running_endpoint() == Endpoint("http://127.0.0.1:8765", "k", "hush")
    assert "hush" not in repr(home.running_endpoint())


def test_manifest_copies_are_apart_by_tenant_table_and_version(tmp_path):
    home = Home(tmp_path)
    assert (
        home.manifest_copy("default", "flights", 6)
        == tmp_path / "manifests" / "default" / "flights" / "v6.json"
    )
    assert home.blocks.is_relative_to(home.lakefs)
