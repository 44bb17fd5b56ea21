"""Great Expectations' pages made safe to open anywhere: no script, nothing that is fetched, and no text of a contract that is markup.

GX's templates escape some texts and not others, and load style sheets and scripts from elsewhere. So the characters that HTML and GX's
string templates take for code are stood in for while GX renders, and what is not wanted of GX's own page is left out.
"""

from __future__ import annotations

import html
from html.parser import HTMLParser
from typing import Any, Final

from lakegate.media import line

POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
)
HEAD: Final = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><meta name="referrer" content="no-referrer">'
"""What a browser is told before it reads anything else: run nothing, fetch nothing."""
STYLE: Final = """
body{font-family:sans-serif;margin:2em;line-height:1.4}.modal,.navbar-toggler,.card:has(.btn-group){display:none}ol,ul{padding-left:1.5em}
table{border-collapse:collapse;margin:.5em 0}th,td{border:1px solid #ccc;padding:.3em .7em;text-align:left;vertical-align:top}
.badge{border:1px solid #ccc;border-radius:.3em;padding:0 .3em}.show-scrollbars{overflow:auto}.card,.mb-1{margin-bottom:1em}
.fa-check-circle::before{content:"\\2713";color:#070}.fa-times::before,.fa-times-circle::before{content:"\\2717";color:#a00}
.fa-exclamation-triangle::before,.fa-exclamation-circle::before{content:"!";color:#a60;font-weight:bold}
"""
_STANDS_FOR: Final = dict(zip("<>&\"'$`", "\ua490\ua491\ua492\ua493\ua494\ua495\ua496", strict=True))
"""Radicals of the Yi script: no template and no `repr` takes one for more than a letter. Where a text holds one, it is written out."""
_STAND_IN: Final = str.maketrans(
    _STANDS_FOR | {stand: f"\\u{ord(stand):04x}" for stand in _STANDS_FOR.values()}
)
_BACK: Final = str.maketrans(
    {stand: html.escape(character, quote=True) for character, stand in _STANDS_FOR.items()}
)
_WITH_CONTENT: Final = frozenset(
    {"script", "style", "iframe", "object", "noscript", "button", "form", "template", "svg", "title"}
)
_LEFT_OUT: Final = frozenset(
    {"link", "meta", "base", "img", "embed", "input", "source", "html", "head", "body"}
)
_KEPT: Final = frozenset(
    {"class", "id", "colspan", "rowspan", "title", "href", "style", "role", "aria-label"}
)


def harmless(value: Any) -> Any:
    """A value of a report whose texts hold nothing that a template or HTML takes for code; `offline` shows them as they were."""
    if isinstance(value, str):
        return line(value).translate(_STAND_IN)
    if isinstance(value, dict):
        return {harmless(key): harmless(item) for key, item in value.items()}
    return [harmless(item) for item in value] if isinstance(value, list | tuple) else value


def offline(rendered: str, *, title: str) -> str:
    """A page that GX rendered of harmless values, as one file that runs and fetches nothing."""
    reader = _Reader()
    reader.feed(rendered)
    reader.close()
    head = f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">{HEAD}<title>{harmless(title)}</title><style>{STYLE}</style></head>'
    return f"{head}\n<body>\n{''.join(reader.told)}\n</body></html>\n".translate(_BACK)


class _Reader(HTMLParser):
    """Writes again what may stay of a page: elements and texts, without scripts, styles, handlers and addresses elsewhere."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.told: list[str] = []
        self._skipped: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._skipped or tag in _WITH_CONTENT:
            if tag in _WITH_CONTENT:
                self._skipped.append(tag)
        elif tag not in _LEFT_OUT:
            kept = "".join(
                f' {name}="{html.escape(value or "")}"' for name, value in attrs if _stays(name, value or "")
            )
            self.told.append(f"<{tag}{kept}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _WITH_CONTENT:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._skipped:
            if tag == self._skipped[-1]:
                self._skipped.pop()
        elif tag not in _LEFT_OUT and tag not in _WITH_CONTENT:
            self.told.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self.told.append(html.escape(data, quote=False))

    def handle_entityref(self, name: str) -> None:
        if not self._skipped:
            self.told.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.handle_entityref(f"#{name}")


def _stays(name: str, value: str) -> bool:
    if name == "href":
        return value.startswith("#")
    return name in _KEPT and not (name == "style" and "url" in value.lower())
