"""Text from outside is text in every medium: no terminal, log, page or Markdown takes any of it for code,
and what is hidden is seen.
"""

from __future__ import annotations

import html
import json
import re
import sys
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cli.terminal import Coloured, StatusLine, complain, say, show_json, show_table
from lakegate.errors import LakegateError
from lakegate.home import to_stderr
from lakegate.media import as_json, block, code, hidden, line, markdown, message, page
from tests.support.security.hostile_texts import HOSTILE, acts

ANY = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(),
    st.text(alphabet=st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Zs", "Po", "Sm"])),
)


@given(ANY)
def test_line_is_one_line_of_what_can_be_seen_and_plain_text_stands_as_it_is(text: str) -> None:
    told = line(text)
    assert acts(told) == set()
    assert not any(hidden(character) for character in told)
    assert line(told) == told
    assert "".join(character for character in text if not hidden(character)) == text or len(told) > len(text)
    if not any(hidden(character) for character in text):
        assert told == text
    told.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x \x1b[31mred\x1b[0m", r"x \x1b[31mred\x1b[0m"),
        ("\x9b", r"\x9b"),
        ("a\u202eb", r"a\u202eb"),
        ("a\nb\tc\rd", r"a\nb\tc\rd"),
        ("a\u00a0\u200b\ufeff", r"a\xa0\u200b\ufeff"),
        ("\U000e0041\ud800", r"\U000e0041\ud800"),
        ("größe 漢字 ok \U0001f600", "größe 漢字 ok \U0001f600"),
        ("[red]", "[red]"),
    ],
)
def test_hidden_characters_are_written_out(text: str, told: str) -> None:
    assert line(text) == told


@given(ANY, ANY, ANY)
def test_message_keeps_the_line_breaks_of_an_error_and_shows_those_of_what_it_quotes(
    what: str, where: str, fix: str
) -> None:
    error = LakegateError(
        f"x{what.replace('  -> ', '').replace('  | ', '')}", where="f.csv", fix=f"y{fix}" if fix else ""
    )
    told = message(error)
    lines = told.split("\n")
    assert all(acts(part) == set() for part in lines)
    assert all(part.startswith(("  -> ", "  | ")) for part in lines[1:])
    assert message(LakegateError("what", where="where", fix="fix")) == "where: what\n  -> fix"
    assert acts(message(where).replace("\n", "")) == set()
    both = LakegateError("one", fix="a")
    both.others = (LakegateError("two\nerror: three", where="f", fix="b"),)
    assert message(both) == "one\n  -> a\nf: two\\nerror: three\n  -> b"


@given(ANY)
def test_page_shows_the_text_and_gains_no_tag(text: str) -> None:
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append(f"{tag} {attrs}")

        def handle_data(self, data: str) -> None:
            shown.append(data)

    shown: list[str] = []
    reader = Reader()
    reader.feed(f'<b title="{page(text)}">{page(text)}</b>')
    reader.close()
    assert found == [f"b {[('title', line(text))]}"]
    assert html.unescape("".join(shown)) == line(text) or "".join(shown) == line(text)


READER = MarkdownIt("gfm-like", {"html": True, "linkify": False})


def tokens(text: str) -> list[tuple[str, str]]:
    """What a reader of Markdown makes of a text: kinds and contents of the innermost parts."""
    found = []
    for token in READER.parse(text):
        found += (
            [(child.type, child.content) for child in token.children or ()]
            if token.type == "inline"
            else [(token.type, token.content)]
        )
    return found


@given(ANY)
def test_markdown_formats_nothing_of_a_text(text: str) -> None:
    kinds = {kind for kind, _ in tokens(f"before {markdown(text)} after")}
    assert kinds <= {"paragraph_open", "paragraph_close", "text", "text_special", "softbreak"}
    shown = "".join(content for _, content in tokens(f"before {markdown(text)} after"))
    assert re.sub(r"\s+", " ", shown) == re.sub(r"\s+", " ", f"before {line(text)} after")


@given(ANY, ANY)
def test_code_in_markdown_ends_where_it_is_to_end(text: str, other: str) -> None:
    span = [item for item in tokens(f"a {code(text)} b") if item[0] != "text"]
    assert [kind for kind, _ in span] == ["paragraph_open", "code_inline", "paragraph_close"]
    lines = f"select 1\n{text}\n{other}"
    (only,) = tokens(block(lines, "sql"))
    assert only[0] == "fence"
    assert only[1] == "".join(f"{line(part)}\n" for part in lines.strip("\n").split("\n"))


@given(st.recursive(ANY, lambda inner: st.lists(inner) | st.dictionaries(ANY, inner), max_leaves=5))
def test_json_reads_back_the_same_and_holds_nothing_that_acts(value: Any) -> None:
    for indent in (None, 2):
        told = as_json(value, indent=indent)
        assert json.loads(told) == json.loads(json.dumps(value))
        assert acts(told.replace("\n", "") if indent else told) == set()
    assert as_json({"größe": "漢"}) == '{"größe": "漢"}'


@pytest.mark.parametrize("text", HOSTILE)
def test_text_that_is_said_never_acts_on_the_terminal(
    text: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
    say(text)
    say("a ", Coloured(text, "red"), text, err=True)
    complain(LakegateError(text, where=text, fix=text), about=text)
    show_json([text, {text: text}])
    show_table(
        [{"record": text, "rules": [text], text: 1, "state": Coloured(text, "red")}],
        ("record", "rules", "state", text),
        empty="",
    )
    show_table([], (), empty=text)
    to_stderr(text)
    with StatusLine(quiet=False) as status:
        status.update(text)
    out, err = capfd.readouterr()
    assert acts((out + err).replace("\n", "")) == set()
    shown = "".join(out.split())
    assert "".join(line(text).split())[:20] in shown


def test_markup_in_a_record_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    show_table([{"record": "a [/foo] b"}, {"record": "[red]x[/red] :smile:"}], ("record",), empty="")
    assert [part.strip() for part in capsys.readouterr().out.splitlines()] == [
        "record",
        "a [/foo] b",
        "[red]x[/red] :smile:",
    ]
