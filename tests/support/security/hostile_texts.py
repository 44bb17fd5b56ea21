"""Texts that act on a terminal, a page or Markdown, and whether a text acts."""

from __future__ import annotations

import unicodedata

HOSTILE = (
    "\x1b[31mred\x1b[0m\x07",
    "\x9b2J",
    "\x1b]8;;http://evil\x1b\\link",
    "invoice\u202egnp.exe",
    "\u2066x\u2069",
    "a\nerror: all is well",
    "a\r\nb\tc\x00",
    "\u2028\u2029\x85\x0b\x0c",
    "zero\u200bwidth\ufeff",
    "\u3164\u2800\u00a0\u00ad",
    "\ud800",
    "[/foo]",
    "[red]x[/red]",
    ":smile: [link=http://evil]x[/link]",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    (
        "![x](http://evil/x.png) [a](javascript:alert(1)) "
        "<http://evil> http://evil www.evil.example a@evil.example"
    ),
    "```\n# title\n| a | b |\n|---|---|",
    "~~~\n- item\n1. one\n> quote\n***\n",
    "`tick` ``two``",
    "=HYPERLINK(1)",
    "&lt;b&gt; &#x1b;",
)

BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def acts(text: str) -> set[str]:
    """The characters of a text that a terminal may obey, or that show nothing."""
    return {
        character
        for character in text
        if character in BIDI
        or (
            character != " "
            and unicodedata.category(character)[0] in "CZ"
            and unicodedata.category(character) != "Co"
        )
    }
