"""Great Expectations' pages made safe to open: no script, nothing to fetch, no contract text as markup.

GX's templates escape some texts and not others, and load style sheets and scripts from elsewhere. So
characters that HTML and GX's string templates read as code are replaced while GX renders, and GX's own page
loses its active parts.
"""

from __future__ import annotations

import html
from html.parser import HTMLParser
from typing import Any, Final

from lakegate.media import line

POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
)
HEAD: Final = (
    f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    '<meta name="referrer" content="no-referrer">'
)
"""Forbids a browser to run or fetch anything, before it reads the rest."""
STYLE: Final = """
body{font-family:sans-serif;margin:2em;line-height:1.4}.modal,.navbar-toggler,.card:has(.btn-group){display:none}ol,ul{padding-left:1.5em}
table{border-collapse:collapse;margin:.5em 0}\
th,td{border:1px solid #ccc;padding:.3em .7em;text-align:left;vertical-align:top}
.badge{border:1px solid #ccc;border-radius:.3em;padding:0 .3em}\
.show-scrollbars{overflow:auto}.card,.mb-1{margin-bottom:1em}
.fa-check-circle::before{content:"\\2713";color:#070}.fa-times::before,.fa-times-circle::before{content:"\\2717";color:#a00}
.fa-exclamation-triangle::before,.fa-exclamation-circle::before{content:"!";color:#a60;font-weight:bold}
"""
_LETTERS: Final = dict(zip("<>&\"'$`", "\ua490\ua491\ua492\ua493\ua494\ua495\ua496", strict=True))
"""Yi radicals in the place of characters: letters for templates and `repr`. Real ones are escaped."""
_TO_LETTERS: Final = str.maketrans(_LETTERS | {item: f"\\u{ord(item):04x}" for item in _LETTERS.values()})
_BACK: Final = str.maketrans({item: html.escape(character) for character, item in _LETTERS.items()})
_WITH_CONTENT: Final = frozenset(
    {"script", "style", "iframe", "object", "noscript", "button", "form", "template", "svg", "title"}
)
_LEFT_OUT: Final = frozenset(
    {"link", "meta", "base", "img", "embed", "input", "source", "html", "head", "body"}
)
_ATTRIBUTES: Final = frozenset(
    {"class", "id", "colspan", "rowspan", "title", "href", "style", "role", "aria-label"}
)


def harmless(value: Any) -> Any:
    """A report's value whose texts no template or HTML reads as code; `offline` restores the texts."""
    if isinstance(value, str):
        return line(value).translate(_TO_LETTERS)
    if isinstance(value, dict):
        return {harmless(key): harmless(item) for key, item in value.items()}
    return [harmless(item) for item in value] if isinstance(value, list | tuple) else value


def offline(rendered: str, *, title: str) -> str:
    """A page that GX rendered of harmless values, as one file that runs and fetches nothing."""
    reader = _Reader()
    reader.feed(rendered)
    reader.close()
    start = '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    head = f"{start}{HEAD}<title>{harmless(title)}</title><style>{STYLE}</style></head>"
    return f"{head}\n<body>\n{''.join(reader.written)}\n</body></html>\n".translate(_BACK)


class _Reader(HTMLParser):
    """Copies the elements and texts of a page, without scripts, styles, handlers and addresses elsewhere."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.written: list[str] = []
        self._skipped: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._skipped or tag in _WITH_CONTENT:
            if tag in _WITH_CONTENT:
                self._skipped.append(tag)
        elif tag not in _LEFT_OUT:
            values = [(name, value or "") for name, value in attrs]
            safe = [f' {name}="{html.escape(value)}"' for name, value in values if _is_safe(name, value)]
            self.written.append(f"<{tag}{''.join(safe)}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _WITH_CONTENT:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._skipped:
            if tag == self._skipped[-1]:
                self._skipped.pop()
        elif tag not in _LEFT_OUT and tag not in _WITH_CONTENT:
            self.written.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self.written.append(html.escape(data, quote=False))

    def handle_entityref(self, name: str) -> None:
        if not self._skipped:
            self.written.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.handle_entityref(f"#{name}")


def _is_safe(name: str, value: str) -> bool:
    if name == "href":
        return value.startswith("#")
    return name in _ATTRIBUTES and not (name == "style" and "url" in value.lower())
