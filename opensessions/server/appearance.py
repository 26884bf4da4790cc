"""Which theme the sidebars wear: what the user chose last, else what the configuration says, for dark or for light."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Literal

import msgspec
from msgspec import Struct

from opensessions.config import Config
from opensessions.config.own_themes import meant, unknown
from opensessions.errors import OpenSessionsError, Refused
from opensessions.private import Corrupt, read_private, set_aside, write_private
from opensessions.sidebar.reports import ASK, Scheme
from opensessions.sidebar.theme import Theme
from opensessions.sidebar.themes import collection, dark

log = logging.getLogger(__name__)

Slot = Literal["theme", "theme_dark", "theme_light"]
"""The key of the configuration that says what is worn now."""


class Choice(Struct, frozen=True, forbid_unknown_fields=True):
    """What the user chose, and what the configuration said then: whoever edits it later wants it to count."""

    chosen: str
    configured: str


class _File(Struct, forbid_unknown_fields=True):
    version: Literal[1]
    value: dict[Slot, Choice]


class Appearance:
    """One for all sidebars of the server. Nothing here blocks for longer than a small file takes."""

    def __init__(self, settings: Config, state: str) -> None:
        self._settings = settings
        self._path = f"{state}/theme.json"
        self.themes: Mapping[str, Theme] = collection(settings.themes)
        self.names = tuple(self.themes)
        self.follows = settings.follow_system
        self.scheme: Scheme | None = None
        """What was said last, by whomever; None until somebody did, and where the system is not followed."""
        self.on_change: Callable[[], None] = lambda: None
        """Called when another theme is worn."""
        self.on_arrival: Callable[[], None] = lambda: None
        """Called when somebody begins to look, where the system is followed."""
        self._choices = self._load()

    @property
    def slot(self) -> Slot:
        """The key that counts now."""
        return "theme" if self.scheme is None else "theme_dark" if self.scheme == "dark" else "theme_light"

    @property
    def name(self) -> str:
        """The name of the theme that is worn."""
        for slot in dict.fromkeys((self.slot, "theme")):
            choice = self._choices.get(slot)
            configured = getattr(self._settings, slot) or ""
            if choice and choice.configured == configured and choice.chosen in self.themes:
                return choice.chosen
            if configured:
                return configured
        raise AssertionError("`theme` is never empty")

    def theme(self, preview: str = "") -> Theme:
        """The theme that is worn; or the one that somebody has a look at."""
        return self.themes.get(preview) or self.themes[self.name]

    def choose(self, name: str) -> str:
        """Wear this theme from now on, and remember it for as long as the configuration says what it says now. The name
        of the theme. Refused for an unknown one; where it cannot be remembered, it is worn all the same."""
        theme = name if name in self.themes else meant(name)
        if not theme:
            raise Refused(f"{_capital(unknown(name, self._settings.themes))}.")
        before = self.name
        self._choices = {**self._choices, self.slot: Choice(theme, getattr(self._settings, self.slot) or "")}
        self._tell(before)
        data = msgspec.json.encode(_File(version=1, value=self._choices)) + b"\n"
        try:
            if read_private(self._path) != data:
                write_private(self._path, data)
        except OpenSessionsError as error:
            raise Refused(f"{theme} is worn, but will not be remembered: {error}") from error
        return theme

    def arrived(self) -> bytes:
        """Somebody begins to look at a sidebar: what that terminal is asked; b"" for nothing."""
        if not self.follows:
            return b""
        self.on_arrival()
        return ASK

    def told(self, scheme: Scheme) -> None:
        """Somebody says whether it is dark or light now."""
        if self.follows and scheme != self.scheme:
            before = self.name
            self.scheme = scheme
            log.info("it is %s now", scheme)
            self._tell(before)

    def _tell(self, before: str) -> None:
        if self.name != before:
            self.on_change()

    async def verb(self, arguments: dict[str, str]) -> object:
        """`act`: `show`, or `set` with a `name`. Both answer what is worn then."""
        if arguments.get("act", "show") == "set":
            self.choose(arguments.get("name", ""))
        return self.answer()

    def answer(self) -> dict[str, object]:
        """What is worn and why, and what could be."""
        return {
            "theme": self.name,
            "key": self.slot,
            "follows": self.follows,
            "scheme": self.scheme,
            "themes": [{"name": name, "dark": dark(theme)} for name, theme in self.themes.items()],
        }

    def _load(self) -> dict[Slot, Choice]:
        try:
            data = read_private(self._path)
            return msgspec.json.decode(data, type=_File).value if data is not None else {}
        except (Corrupt, msgspec.DecodeError) as error:
            self._put_away(str(error) if isinstance(error, Corrupt) else f"cannot be understood ({error})")
        except OpenSessionsError as error:
            log.warning("%s", error)
        return {}

    def _put_away(self, reason: str) -> None:
        try:
            log.warning("%s", set_aside(self._path, reason))
        except Refused as refusal:
            log.warning("%s", refusal)


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
