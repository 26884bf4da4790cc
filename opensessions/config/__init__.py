"""config.yaml: every key with its type, default and meaning.

A struct's field is the key; its `Key` holds the rule for its value and the comment that people read. Adding a key
is adding a field, and its lines in config.example.yaml, which a test compares. Reading the file is in `reader`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_type_hints

from msgspec import Struct

from opensessions.config import rules
from opensessions.config.rules import Key

# --- the keys -------------------------------------------------------------------------------------------------


class Sidebar(Struct, frozen=True):
    """The sidebar panes."""

    width: Annotated[int, Key(rules.whole(15, 200), "Columns of every sidebar")] = 26
    position: Annotated[
        Literal["left", "right"],
        Key(rules.one_of("left", "right"), "The side of the window that it stands on"),
    ] = "left"
    visible: Annotated[
        bool, Key(rules.FLAG, "Whether sidebars show until you toggle them for the first time")
    ] = False
    mode: Annotated[
        Literal["all", "agents", "active"],
        Key(
            rules.one_of("all", "agents", "active"),
            "Rows at first: all sessions, with agents, with busy agents",
        ),
    ] = "all"
    lone: Annotated[
        Literal["close", "shell"],
        Key(
            rules.one_of("close", "shell"),
            "When the last other pane of its window went: close, or open a shell",
        ),
    ] = "close"
    detail: Annotated[
        bool,
        Key(
            rules.FLAG, "Whether the detail of the cursor's row shows until you toggle it for the first time"
        ),
    ] = False
    detail_height: Annotated[int, Key(rules.whole(4, 60), "Lines of the detail, until you change them")] = 10
    groups: Annotated[
        bool, Key(rules.FLAG, "Whether sessions in working trees of one repository stand together")
    ] = True
    metadata: Annotated[
        bool, Key(rules.FLAG, "Whether what scripts say of a session has a line below its row")
    ] = True
    attention: Annotated[
        bool, Key(rules.FLAG, "Whether the agents that need you most are listed above the rows as well")
    ] = False
    others: Annotated[
        bool, Key(rules.FLAG, "Whether other tmux servers and zellij are listed too, and lead there")
    ] = True


class Reap(Struct, frozen=True):
    """What happens to agents whose pane is gone."""

    interval: Annotated[
        float, Key(rules.time_span(1, off=True), "Time between two sweeps for orphaned agents; 0 for never")
    ] = 60.0
    grace: Annotated[
        float, Key(rules.time_span(1), "Least time between the two sweeps that must agree on an orphan")
    ] = 60.0
    term_wait: Annotated[
        float, Key(rules.time_span(0.1), "Time that an orphan has to end before it is killed")
    ] = 5.0
    observed: Annotated[
        bool, Key(rules.FLAG, "Whether agents that you started by hand are reaped as well")
    ] = False
    keep: Annotated[
        tuple[str, ...], Key(rules.WORDS, "Names of programs or agents that are never reaped")
    ] = ()


class Hibernate(Struct, frozen=True):
    """Agents that nobody has used for long."""

    after: Annotated[
        float, Key(rules.time_span(1, off=True), "How long an agent rests before it hibernates; 0 for never")
    ] = 0.0


class Notify(Struct, frozen=True):
    """What is worth a notification."""

    waiting: Annotated[bool, Key(rules.FLAG, "Tell when an agent waits for you")] = True
    error: Annotated[bool, Key(rules.FLAG, "Tell when an agent failed")] = True
    done: Annotated[bool, Key(rules.FLAG, "Tell when an agent has finished its turn")] = True
    message: Annotated[bool, Key(rules.FLAG, "Tell in the status lines of attached clients")] = True
    bell: Annotated[bool, Key(rules.FLAG, "Ring the bell of terminals that show a sidebar")] = True
    desktop: Annotated[
        bool, Key(rules.FLAG, "Tell on the desktop, by your terminal, notify-send or osascript")
    ] = True
    command: Annotated[
        tuple[str, ...] | None,
        Key(rules.ARGV, "Program and arguments to run for each (no shell); null for none"),
    ] = None


class Api(Struct, frozen=True):
    """The HTTP API beside its Unix socket."""

    tcp: Annotated[bool, Key(rules.FLAG, "Whether it also listens on a TCP port, with a token")] = False
    host: Annotated[str, Key(rules.LOOPBACK, "The address of that port; loopback only")] = "127.0.0.1"
    port: Annotated[
        int, Key(rules.whole(0, 65535), "The port; 0 takes a free one and writes it to api.port")
    ] = 0


class Approve(Struct, frozen=True):
    """Answering for the user."""

    from_sidebar: Annotated[
        bool, Key(rules.FLAG, "Whether a key in the sidebar may answer an agent's permission prompt")
    ] = False


class Contains(Struct, frozen=True):
    """A text that may stand anywhere in a title."""

    contains: str


class UserAgent(Struct, frozen=True):
    """An agent of the user's own, or what is added to a known one. Of its states `waiting`, `running` and `idle` can be
    told, by what stands in its title or on its screen; the first that fits counts, in this order."""

    process: tuple[str, ...] = ()
    """A pane runs it when an executable or script there bears one of these names."""
    title: Mapping[str, tuple[str | Contains, ...]] = {}
    """State -> beginnings of titles."""
    screen: Mapping[str, tuple[tuple[str, ...], ...]] = {}
    """State -> texts that stand together in the last lines of the screen, in upper or lower case."""


class UserTheme(Struct, frozen=True):
    """A theme of the user's own: what it changes in a shipped one."""

    extends: str
    """The shipped theme."""
    colours: Mapping[str, str] = {}
    """A palette's name for a colour -> `#rrggbb`, or one of the terminal's own (`red`, `bright-red`, `default`)."""


class Sessionizer(Struct, frozen=True):
    """Where projects are found for a new session."""

    roots: Annotated[tuple[str, ...], Key(rules.WORDS, "Folders in which projects are looked for")] = ("~",)
    depth: Annotated[int, Key(rules.whole(1, 10), "How many folders deep")] = 2


class Config(Struct, frozen=True):
    """Everything that can be set. Durations are seconds, 0 where they are off."""

    idle_timeout: Annotated[
        float,
        Key(rules.time_span(0.1, off=True), "How long the server stays when nothing needs it; 0 for ever"),
    ] = 300.0
    ascii: Annotated[bool, Key(rules.FLAG, "Draw without Unicode")] = False
    theme: Annotated[str, Key(rules.WORD, "Colours; `opensessions theme list` names them all")] = (
        "catppuccin-mocha"
    )
    theme_dark: Annotated[
        str | None, Key(rules.MAYBE_WORD, "Colours while the system is dark; null for those of theme")
    ] = None
    theme_light: Annotated[
        str | None, Key(rules.MAYBE_WORD, "Colours while the system is light; null for those of theme")
    ] = None
    follow_system: Annotated[bool, Key(rules.FLAG, "Follow the system between dark and light")] = False
    themes: Annotated[
        Mapping[str, UserTheme],
        Key(rules.THEMES, "Themes of your own: {NAME: {extends: THEME, background: '#…', text: '#…', …}}"),
    ] = {}
    sidebar: Sidebar = Sidebar()
    reap: Reap = Reap()
    hibernate: Hibernate = Hibernate()
    notify: Notify = Notify()
    api: Api = Api()
    approve: Approve = Approve()
    agents: Annotated[
        Mapping[str, UserAgent],
        Key(rules.AGENTS, "Agents of your own: {NAME: {process: [EXECUTABLE, SCRIPT], title: …, screen: …}}"),
    ] = {}
    sessionizer: Sessionizer = Sessionizer()
    keys: Annotated[
        Mapping[str, tuple[str, ...]],
        Key(rules.KEYS, "Keys of the sidebar that you want otherwise: {ACTION: KEY, ACTION: [KEY, KEY]}"),
    ] = {}
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Key(rules.one_of("debug", "info", "warning", "error"), "How much server.log says"),
    ] = "info"


# --- what a reading answers -----------------------------------------------------------------------------------


class Problem(Struct, frozen=True):
    """One thing that is wrong in the file. `key` is "" where the file as a whole is meant."""

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: " + (f"{self.key}: " if self.key else "") + self.message


class Loaded(Struct, frozen=True):
    """A configuration that is complete whatever the file was, and what was wrong with the file."""

    config: Config = Config()
    problems: tuple[Problem, ...] = ()


def load(path: str) -> Loaded:
    """The configuration in the file at `path`; blocks for one small read. A missing file means all defaults.

    Never raises for what the file is or holds: each fault is a Problem, and every key that can be used is.
    """
    from opensessions.config.reader import read

    return read(path)


# --- the keys as a list ---------------------------------------------------------------------------------------


class Known(Struct, frozen=True):
    """One known key: its full name (`sidebar.width`), its default as it stands in YAML, its comment."""

    name: str
    default: Any
    comment: str


@cache
def keys_of(section: type[Struct]) -> Mapping[str, Key | type[Struct]]:
    """The keys of a section by name; a section within it is given as its type."""
    hints = get_type_hints(section, include_extras=True)
    return {
        name: next((each for each in get_args(hint) if isinstance(each, Key)), hint)
        for name, hint in hints.items()
    }


def plain(section: Struct) -> dict[str, Any]:
    """The section as YAML would hold it: durations as text, tuples as lists."""
    values: dict[str, Any] = {}
    for name, key in keys_of(type(section)).items():
        value = getattr(section, name)
        values[name] = key.rule.write(value) if isinstance(key, Key) else plain(value)
    return values


def show(config: Config) -> str:
    """The effective configuration as YAML that reads back to it."""
    import yaml

    return yaml.safe_dump(
        plain(config), sort_keys=False, default_flow_style=None, allow_unicode=True, width=100
    )


def _flatten(section: Struct, prefix: str = "") -> Iterator[Known]:
    for name, key in keys_of(type(section)).items():
        value = getattr(section, name)
        if isinstance(key, Key):
            yield Known(prefix + name, key.rule.write(value), key.comment)
        else:
            yield from _flatten(value, f"{prefix}{name}.")


SCHEMA: tuple[Known, ...] = tuple(_flatten(Config()))
"""Every known key, in the order of the example file."""
