"""A version's name has one spelling for people, one for lakeFS, and each leads back."""

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakegate.errors import UsageError
from lakegate.names import MAX_NAME, VersionName, checked_name

TABLES = st.from_regex(r"[a-z][a-z0-9_]{0,39}", fullmatch=True)
NUMBERS = st.integers(min_value=1, max_value=10**18 - 1)
VERSIONS = st.builds(VersionName, TABLES, NUMBERS)


@given(VERSIONS)
def test_names_all_lead_back_to_their_version(version):
    assert VersionName.parse(str(version)) == version


@given(VERSIONS)
def test_tags_all_lead_back_to_their_version(version):
    assert VersionName.from_tag(version.tag) == version


@given(VERSIONS, VERSIONS)
def test_versions_never_share_a_tag_or_a_branch(one, other):
    assert (one == other) == (one.tag == other.tag) == (one.keep_branch == other.keep_branch)


@given(VERSIONS)
def test_tags_and_branches_hold_only_what_lakefs_can_resolve(version):
    assert re.fullmatch(r"[a-z0-9_.]+", version.tag)
    assert re.fullmatch(r"[a-z0-9_-]+", version.keep_branch)


@given(st.text())
def test_text_of_any_other_kind_is_refused_or_canonical(text):
    with contextlib.suppress(UsageError):
        assert str(VersionName.parse(text)) == text
    version = VersionName.from_tag(text)
    assert version is None or version.tag == text


@pytest.mark.parametrize(
    "text",
    [
        "flights",
        "flights@6",
        "flights@v0",
        "flights@v06",
        "Flights@v1",
        "flights@v1\n",
        "../flights@v1",
        "fl-ights@v1",
        "flights@v\u0661",
        "@v1",
        "",
    ],
)
def test_text_that_is_no_name_says_how_one_is_written(text):
    with pytest.raises(UsageError, match="TABLE@vN"):
        VersionName.parse(text)


@pytest.mark.parametrize("text", ["flights@v" + "9" * 5000, "f" * 5000 + "@v1"])
def test_endless_name_is_refused_in_a_short_error(text):
    with pytest.raises(UsageError) as caught:
        VersionName.parse(text)
    assert len(str(caught.value)) < 300
    assert VersionName.from_tag(text.replace("@", ".")) is None


def test_versions_sort_by_number_not_by_text():
    assert max(VersionName("flights", 10), VersionName("flights", 9)).number == 10


@given(TABLES)
def test_checked_name_is_returned_as_it_is(text):
    assert checked_name(text, kind="table") == text


@pytest.mark.parametrize("text", ["", "1a", "a-b", "a.b", "a/b", "..", "A", "é", "a\n", "a" * (MAX_NAME + 1)])
def test_name_that_lakefs_or_a_path_would_misread_is_refused(text):
    with pytest.raises(UsageError, match="dataset"):
        checked_name(text, kind="dataset")
