"""config.yaml: what is read, and what is said of everything that cannot be."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opensessions import config
from opensessions.config import SCHEMA, Config, Loaded, Problem, UserAgent, load, show
from opensessions.config.rules import duration, duration_text

EXAMPLE = Path(__file__).parents[1] / "config.example.yaml"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


def reading(file: Path, text: str | bytes) -> Loaded:
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return load(str(file))


def only_problem(loaded: Loaded) -> Problem:
    assert len(loaded.problems) == 1, [str(problem) for problem in loaded.problems]
    return loaded.problems[0]


# --- the example ----------------------------------------------------------------------------------------------


def test_the_example_is_the_default_configuration_without_a_fault() -> None:
    assert load(str(EXAMPLE)) == Loaded()


def test_the_example_names_every_key_with_its_comment_above_it() -> None:
    lines = EXAMPLE.read_text().splitlines()
    found = {}
    section = ""
    for above, line in pairwise(lines):
        name = line.strip().partition(":")[0]
        if line.endswith(":") and not line.startswith(" "):
            section = name + "."
        elif line and not line.lstrip().startswith("#"):
            found[(section if line.startswith(" ") else "") + name] = above.strip().removeprefix("# ")
    assert found == {known.name: known.comment for known in SCHEMA}


def test_the_list_of_keys_holds_the_promised_ones_with_their_defaults() -> None:
    promised = {
        "idle_timeout": "5m", "ascii": False, "theme": "catppuccin-mocha", "follow_system": False,
        "sidebar.width": 26, "sidebar.position": "left", "sidebar.visible": False, "sidebar.mode": "all",
        "sidebar.lone": "close", "sidebar.groups": True, "sidebar.metadata": True, "sidebar.attention": False,
        "sidebar.others": True,
        "sidebar.detail": False, "sidebar.detail_height": 10,
        "reap.interval": "1m", "reap.grace": "1m", "reap.term_wait": "5s",
        "reap.observed": False, "reap.keep": [], "hibernate.after": 0, "notify.waiting": True, "notify.error": True,
        "notify.done": True, "notify.message": True, "notify.bell": True, "notify.desktop": True,
        "notify.command": None, "api.tcp": False, "api.host": "127.0.0.1", "api.port": 0,
        "approve.from_sidebar": False, "agents": {}, "sessionizer.roots": ["~"], "sessionizer.depth": 2, "keys": {},
        "log_level": "info", "theme_dark": None, "theme_light": None, "themes": {},
    }  # fmt: skip
    assert {known.name: known.default for known in SCHEMA} == promised


# --- good files -----------------------------------------------------------------------------------------------


def test_every_kind_of_value_is_read(file: Path) -> None:
    loaded = reading(
        file,
        "idle_timeout: 90s\nascii: true\ntheme_dark: nord\n"
        "sidebar: {width: 200, position: right, lone: shell}\n"
        "reap:\n  interval: 0\n  term_wait: 1500ms\n  keep: [ssh-agent, 'my thing']\n"
        "notify: {command: [notify-send, '{text}']}\n"
        "agents: {mine: {process: [mine, mine-beta]}, yours: {process: yours}}\n"
        "keys: {kill-agent: y, approve: [], hide: [m, C-x], index: []}\nlog_level: debug\n",
    )
    assert loaded.problems == ()
    read = loaded.config
    assert (read.idle_timeout, read.ascii, read.theme_dark, read.log_level) == (90.0, True, "nord", "debug")
    assert (read.sidebar.width, read.sidebar.position, read.sidebar.lone) == (200, "right", "shell")
    assert (read.reap.interval, read.reap.term_wait, read.reap.keep) == (0.0, 1.5, ("ssh-agent", "my thing"))
    assert read.notify.command == ("notify-send", "{text}")
    assert read.agents == {"mine": UserAgent(("mine", "mine-beta")), "yours": UserAgent(("yours",))}
    assert read.keys == {"kill-agent": ("y",), "approve": (), "hide": ("m", "ctrl-x"), "index": ()}
    assert read.sidebar.mode == "all"


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "---\n", "sidebar:\n", "{}", "\ufeffascii: false\n", "~\n"]
)
def test_a_file_that_sets_nothing_is_fine(file: Path, text: str) -> None:
    assert reading(file, text) == Loaded()


def test_a_missing_file_is_fine(file: Path) -> None:
    assert load(str(file)) == Loaded()


def test_a_link_to_a_file_is_followed(file: Path, tmp_path: Path) -> None:
    (tmp_path / "dotfiles").write_text("ascii: true")
    file.symlink_to("dotfiles")
    assert load(str(file)).config.ascii


def test_what_is_shown_reads_back_to_the_same(file: Path) -> None:
    chosen = reading(
        file,
        "idle_timeout: 1500ms\nagents: {a: {process: [b]}}\nkeys: {hide: '~'}\nnotify: {command: [a, 'é #x']}",
    ).config
    assert reading(file, show(chosen)) == Loaded(chosen)


# --- faults in keys -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "key", "nearest"),
    [
        ("sidebar: {widht: 30}", "sidebar.widht", "sidebar.width"),
        ("width: 30", "width", "sidebar.width"),
        ("sidebra: {width: 30}", "sidebra", "sidebar"),
        ("idle-timeout: 5m", "idle-timeout", "idle_timeout"),
        ("zzz: 1", "zzz", "idle_timeout"),
        ("agents: {mine: {process: [x], proces: [x]}}", "agents.mine.proces", "agents.mine.process"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_known_one(
    file: Path, text: str, key: str, nearest: str
) -> None:
    loaded = reading(file, f"# one\n\n{text}\nascii: true\n")
    problem = only_problem(loaded)
    assert (problem.file, problem.line, problem.key) == (str(file), 3, key)
    named = problem.message.partition("the nearest is ")[2].partition(" ")[0].rstrip(".")
    assert named == nearest or (key == "zzz" and named in {known.name for known in SCHEMA})
    assert loaded.config.ascii, "the other keys count"


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("idle_timeout: 60", "idle_timeout", "60s"),
        ("idle_timeout: 1:30", "idle_timeout", "duration"),
        ("idle_timeout: 5 m", "idle_timeout", "not 5 m"),
        ("idle_timeout: -5m", "idle_timeout", "duration"),
        ("idle_timeout: 1e3s", "idle_timeout", "duration"),
        ("idle_timeout: 99999d", "idle_timeout", "duration"),
        ("idle_timeout: true", "idle_timeout", "not true"),
        ("idle_timeout: ５m", "idle_timeout", "duration"),
        ("reap: {grace: 0}", "reap.grace", "1s or more"),
        ("ascii: 'true'", "ascii", "without quotes"),
        ("ascii: 1", "ascii", "true or false"),
        ("theme:", "theme", "not nothing"),
        ("theme: [a]", "theme", "not a list"),
        ('theme: "a\\nb"', "theme", "a name"),
        ("sidebar: {width: 14}", "sidebar.width", "from 15 to 200"),
        ("sidebar: {width: 201}", "sidebar.width", "the default 26 counts"),
        ("sidebar: {width: 26.0}", "sidebar.width", "whole number"),
        ("sidebar: {width: true}", "sidebar.width", "whole number"),
        ("sidebar: {position: up}", "sidebar.position", "left or right"),
        ("sidebar: 5", "sidebar", "keys such as `width: …`"),
        ("sidebar: [width]", "sidebar", "not a list"),
        ("reap: {keep: ssh}", "reap.keep", "a list of texts"),
        ("reap: {keep: [[a]]}", "reap.keep", "a list of texts"),
        ("reap: {keep: [1]}", "reap.keep", "a list of texts"),
        ("notify: {command: notify-send hi}", "notify.command", "no shell"),
        ("notify: {command: []}", "notify.command", "null or a list"),
        ("api: {host: 0.0.0.0}", "api.host", "loopback"),
        ("api: {host: example.org}", "api.host", "loopback"),
        ("api: {host: 10.0.0.1}", "api.host", "never opened to the network"),
        ("api: {port: 65536}", "api.port", "from 0 to 65535"),
        ("api: {port: 0x" + "f" * 5000 + "}", "api.port", "from 0 to 65535"),
        ("api: {port: " + "9" * 5000 + "}", "api.port", "from 0 to 65535"),
        ("ascii: !!bool maybe", "ascii", "true or false"),
        ("api: {port: !!int ''}", "api.port", "whole number"),
        ("theme: !!python/object/apply:os.system [id]", "theme", "a name"),
        ("theme: !!timestamp x", "theme", "a name"),
        ("theme: 2020-99-99", "theme", "a name"),
        ("agents: {a: {}}", "agents.a", "needs"),
        ("agents: {a: {process: []}}", "agents.a.process", "a list of names"),
        ("agents: {a: {process: [/bin/x]}}", "agents.a.process", "without folders"),
        ("agents: {a: 5}", "agents.a", "process"),
        ("agents: 5", "agents", "names"),
        ("keys: {hide: [[h]]}", "keys.hide", "a key, or a list of keys"),
        ("keys: {hide: }", "keys.hide", "not nothing; the default counts"),
        ("keys: {hide: {a: b}}", "keys.hide", "not keys"),
        ("keys: 5", "keys", "names of actions"),
        ("? [a]\n: 1", "", "no name for a key"),
        ('"a\\nb": 1', "", "no name for a key"),
    ],
)
def test_a_wrong_value_falls_back_and_says_what_was_expected(
    file: Path, text: str, key: str, words: str
) -> None:
    loaded = reading(file, f"{text}\nlog_level: error\n")
    problem = only_problem(loaded)
    assert (problem.line, problem.key) == (1, key)
    assert words in problem.message
    assert len(str(problem)) < 400
    assert loaded.config == Config(log_level="error")


def test_one_bad_key_never_discards_its_neighbours(file: Path) -> None:
    loaded = reading(
        file, "sidebar:\n  width: wide\n  position: right\n  oops: 1\n  lone: shell\nascii: true\n"
    )
    assert [problem.line for problem in loaded.problems] == [2, 4]
    assert (loaded.config.sidebar.position, loaded.config.sidebar.lone, loaded.config.ascii) == (
        "right",
        "shell",
        True,
    )


def test_a_key_that_stands_twice_is_reported_and_the_last_counts(file: Path) -> None:
    loaded = reading(file, "theme: dracula\nascii: true\ntheme: nord\n")
    problem = only_problem(loaded)
    assert (problem.line, problem.key) == (3, "theme")
    assert "line 1" in problem.message
    assert loaded.config.theme == "nord"


def test_problems_come_in_the_order_of_the_lines(file: Path) -> None:
    loaded = reading(file, "a: 1\ntheme:\nb: 2\nb: 3\n")
    assert [problem.line for problem in loaded.problems] == [1, 2, 4, 4]


def test_aliases_work_where_they_are_harmless(file: Path) -> None:
    loaded = reading(file, "reap: {interval: &t 30s, grace: *t}")
    assert loaded == Loaded(Config(reap=config.Reap(interval=30.0, grace=30.0)))


# --- files that are no configuration ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"ascii: true\nsidebar: [\n", 3, "not YAML"),
        (b"ascii: true\n\twidth: 3\n", 2, "not YAML"),
        (b"theme: 'open\n", 2, "not YAML"),
        (b"theme: @x\n", 1, "not YAML"),
        (b"theme: *nowhere\n", 1, "not YAML"),
        (b"---\nascii: true\n---\nascii: false\n", 3, "not YAML"),
        (b"ascii: true\n\0\n", 2, "NUL"),
        (b"a: 1\ntheme: \x07\n", 2, "not YAML"),
        (b"ascii: true\ntheme: \xff\n", 2, "UTF-8"),
        ("ascii: true".encode("utf-16"), 1, "NUL"),
        (b"#" * ((1 << 20) + 1), 1, "1 MiB"),
        (b"x: " + b"[" * 400_000, 1, "nested"),
        (b"x:\n " + b"[" * 30 + b"]" * 30, 2, "nested"),
        (b"- " * 400_000, 1, "nested"),
        (b"x: [" + b"a," * 100_000 + b"]", 1, "items"),
        (b"\x7fELF\x02\x01\x01" + bytes(range(1, 256)), 1, ""),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else str(value),
)
def test_a_file_that_is_no_yaml_is_one_problem_and_all_defaults(
    file: Path, data: bytes, line: int, words: str
) -> None:
    loaded = reading(file, data)
    problem = only_problem(loaded)
    assert loaded.config == Config()
    assert words in problem.message
    if words:
        assert problem.line == line
    assert str(problem).startswith(f"{file}:{problem.line}: ")


@pytest.mark.parametrize("text", ["just words", "- a\n- b\n", "5", "[ascii]"])
def test_a_file_without_keys_is_one_problem(file: Path, text: str) -> None:
    loaded = reading(file, text)
    assert "expected keys" in only_problem(loaded).message
    assert loaded.config == Config()


def test_what_stands_in_the_files_place_is_one_problem(file: Path, tmp_path: Path) -> None:
    folder, loop, fifo = tmp_path / "folder", tmp_path / "loop", tmp_path / "fifo"
    folder.mkdir()
    loop.symlink_to(loop)
    os.mkfifo(fifo)
    for path in (folder, loop, fifo, file / "below-a-file"):
        file.touch()
        loaded = load(str(path))
        assert loaded.config == Config()
        assert "all defaults count" in only_problem(loaded).message


@pytest.mark.timeout(20)
@pytest.mark.parametrize("use", ["keys: *i", "agents: *i", "reap: {keep: *i}", "keys: {<<: *i}", "reap: *i"])
def test_aliases_of_aliases_are_not_expanded(file: Path, use: str) -> None:
    bomb = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    bomb += [f"{b}: &{b} [{', '.join(['*' + a] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    loaded = reading(file, "\n".join([*bomb, use]))
    assert loaded.config == Config()
    assert [problem for problem in loaded.problems if problem.line == 10]


@pytest.mark.timeout(20)
def test_an_alias_of_itself_ends(file: Path) -> None:
    loaded = reading(file, "reap: {keep: &a [*a]}\nkeys: &b {hide: *b}\nagents: &c {x: *c}\nascii: true\n")
    assert loaded.config == Config(ascii=True)
    assert [problem.key for problem in loaded.problems] == ["reap.keep", "keys.hide", "agents.x.x"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | st.text(alphabet="ab:-[]{}&*!|>'\"#\n\t ?,%@", max_size=60).map(str.encode))
def test_no_bytes_whatever_raise(file: Path, data: bytes) -> None:
    loaded = reading(file, data)
    assert isinstance(loaded.config, Config)
    assert reading(file, show(loaded.config)) == Loaded(loaded.config)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from([known.name.partition(".")[0] for known in SCHEMA]), VALUES))
def test_no_value_whatever_raises_and_the_untouched_keys_keep_their_defaults(
    file: Path, values: object
) -> None:
    assert isinstance(values, dict)
    loaded = reading(file, yaml.safe_dump(values, allow_unicode=True))
    for name in {known.name.partition(".")[0] for known in SCHEMA} - set(values):
        assert getattr(loaded.config, name) == getattr(Config(), name)


# --- durations ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("60s", 60), ("5m", 300), ("2h", 7200), ("1d", 86400), ("1.5s", 1.5), (0, 0)],
)
def test_a_duration_is_seconds(text: str | int, seconds: float) -> None:
    assert duration(text) == seconds


@given(st.integers(0, 10**9))
def test_a_duration_is_written_as_it_is_read(milliseconds: int) -> None:
    seconds = milliseconds / 1000
    assert duration(duration_text(seconds)) == pytest.approx(seconds)


# --- command line and costs -----------------------------------------------------------------------------------


def cli(file: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OPENSESSIONS_CONFIG": str(file)}
    return subprocess.run(
        [sys.executable, "-m", "opensessions", "config", *words],
        env=environment, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip


def test_check_prints_each_fault_and_exits_1(file: Path) -> None:
    file.write_text("theme: nord\nwidht: 3\n")
    done = cli(file, "check")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith(f"{file}:2: widht: is no known key; the nearest is sidebar.width.")


def test_check_is_content_with_a_good_file_and_with_none(file: Path) -> None:
    done = cli(file, "check")
    assert (done.returncode, done.stdout) == (0, f"{file} does not exist: all defaults count\n")
    file.write_text("ascii: true\n")
    done = cli(file, "check")
    assert (done.returncode, done.stdout) == (0, f"{file}: no problems\n")


def test_show_prints_what_counts_and_its_faults_apart(file: Path) -> None:
    file.write_text("ascii: true\nsidebar: {width: 5}\n")
    done = cli(file, "show")
    assert done.returncode == 0
    assert yaml.safe_load(done.stdout)["ascii"] is True
    assert yaml.safe_load(done.stdout)["sidebar"]["width"] == 26
    assert "sidebar.width" in done.stderr
    assert file.read_text() == "ascii: true\nsidebar: {width: 5}\n"


def test_path_prints_the_path(file: Path) -> None:
    assert cli(file, "path").stdout == f"{file}\n"


def test_importing_the_keys_does_not_import_yaml() -> None:
    code = "import sys, opensessions.config; sys.exit('yaml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode == 0
