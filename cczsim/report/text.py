"""What the page says, in both of its languages."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from importlib.resources import files
from typing import Any, Final, Literal

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")


@dataclass(frozen=True)
class Both:
    """A text in both languages; a template shows the one that the page is set to."""

    en: str
    zh: str

    def __html__(self) -> str:
        """Return escaped HTML of which the page's style shows one language."""
        if self.en == self.zh:
            return escape(self.en)
        return f'<span lang="en">{escape(self.en)}</span><span lang="zh">{escape(self.zh)}</span>'

    def __bool__(self) -> bool:
        """Whether there is anything to say."""
        return bool(self.en or self.zh)

    def get(self, language: Language) -> str:
        """Return the text in one language."""
        return self.en if language == "en" else self.zh

    def join(self, *others: Both | str, by: str = " · ") -> Both:
        """Return this text followed by others."""
        parts = [self, *(same(other) if isinstance(other, str) else other for other in others)]
        shown = [part for part in parts if part]
        return Both(by.join(p.en for p in shown), by.join(p.zh for p in shown))


def same(text: str) -> Both:
    """Return a text that is alike in both languages: a name, a number."""
    return Both(text, text)


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    out: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            out.update(_flat(value, f"{prefix}{key}."))
        else:
            out[prefix + key] = str(value)
    return out


@lru_cache(maxsize=2)
def catalogue(language: Language) -> dict[str, str]:
    """Return all texts of a language by dotted key (``report/locale/<language>.toml``)."""
    source = files("cczsim.report").joinpath("locale", f"{language}.toml")
    return _flat(tomllib.loads(source.read_text(encoding="utf-8")))


def known(key: str) -> bool:
    """Whether there is a text under a key."""
    return key in catalogue("en")


def text(key: str, **values: object) -> Both:
    """Return the text under a key, with its ``{names}`` filled in, from ``Both`` by language.

    Raises
    ------
    KeyError
        No text has that key.
    """
    filled = []
    for language in LANGUAGES:
        own = {k: v.get(language) if isinstance(v, Both) else v for k, v in values.items()}
        filled.append(catalogue(language)[key].format(**own))
    return Both(*filled)


@lru_cache(maxsize=1)
def _remarks() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return the texts of the group ``remark`` as patterns of what the engine says in English."""
    return tuple(
        (key, re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(words))))
        for key, words in catalogue("en").items()
        if key.startswith("remark.")
    )


_CODES: Final = {"area": "area", "kind": "class"}
"""Groups of terms whose codes stand in sentences of the engine."""


def _word(group: str, code: str) -> Both:
    return Both(code, term(group, code).zh)


@lru_cache(maxsize=1)
def sentences() -> dict[str, str]:
    """Return the Chinese of meanings and sources of parameters, by what the code says."""
    source = files("cczsim.report").joinpath("locale", "sentences_zh.toml")
    return {str(k): str(v) for k, v in tomllib.loads(source.read_text(encoding="utf-8")).items()}


def remark(words: str) -> Both:
    """Return a sentence of the engine in both languages, or as it stands where it is not known."""
    for key, pattern in _remarks():
        found = pattern.fullmatch(words)
        if found is not None:
            values = found.groupdict().items()
            return text(key, **{k: _word(_CODES.get(k, ""), v) for k, v in values})
    return Both(words, sentences().get(words, words))


def term(group: str, name: str) -> Both:
    """Return the word for a code (``term("tier", "central")``), or the code where there is none."""
    key = f"{group}.{name}"
    return text(key) if known(key) else same(name)
