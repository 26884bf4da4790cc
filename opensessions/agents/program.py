"""Which program a command line runs: the executable, or the script or module that an interpreter was given. Pure.

Names come out whole, in lower case, without folders and without `.exe`, `.js`, `.py` and the like.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

SCRIPT = re.compile(r"\.(?:[cm]?[jt]s|pyz?|rb|pl|(?:ba|z|k|fi)?sh)$")
PROGRAM = re.compile(r"\.(?:exe|cmd)$")
NODE_MODULES = "/node_modules/"


class Program(Struct, frozen=True):
    """What an interpreter runs; a part is "" where it does not apply."""

    script: str = ""
    package: str = ""
    """The npm package that holds the script, scope included."""
    module: str = ""
    arguments: tuple[str, ...] = ()
    """What the script or module itself was given."""


class Interpreter(Struct, frozen=True):
    """How an interpreter finds its script among its arguments. Short options are given as letters."""

    values: str = ""
    """Take a value: the rest of the word, or the next one."""
    inline: str = ""
    """The program stands in the arguments or comes from standard input: there is no script."""
    module: str = ""
    """The value is a module to run."""
    long_values: frozenset[str] = frozenset()
    long_inline: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    """Subcommands that stand before the script."""


SHELL = Interpreter(values="oO", inline="cs", long_values=frozenset({"--rcfile", "--init-file"}))
FISH = Interpreter(values="CDdfop", inline="c", long_values=frozenset({"--init-command"}))
NODE = Interpreter(
    values="rC",
    inline="ep",
    long_values=frozenset(
        {"--require", "--import", "--loader", "--experimental-loader", "--conditions", "--env-file"}
    ),
    long_inline=frozenset({"--eval", "--print"}),
)
BUN = Interpreter(
    values="rc",
    inline="ep",
    long_values=frozenset({"--preload", "--cwd", "--config", "--env-file"}),
    long_inline=frozenset({"--eval", "--print"}),
    words=frozenset({"run"}),
)
DENO = Interpreter(values="c", long_values=frozenset({"--config", "--import-map"}), words=frozenset({"run"}))
PYTHON = Interpreter(values="WX", inline="c", module="m")
RUBY = Interpreter(values="ICr", inline="eE")

INTERPRETERS: Mapping[str, Interpreter] = {
    **dict.fromkeys(("sh", "ash", "bash", "dash", "ksh", "mksh", "zsh"), SHELL),
    "fish": FISH,
    **dict.fromkeys(("node", "nodejs"), NODE),
    "bun": BUN,
    "deno": DENO,
    **dict.fromkeys(("python", "pypy"), PYTHON),
    **dict.fromkeys(("ruby", "perl"), RUBY),
}
VERSION = re.compile(r"[0-9.]*t?$")
"""As in `python3.13t`."""


def executable(word: str) -> str:
    """The name in `argv[0]` or of a file. A rewritten command line (`npm exec @a/b`, or `pi` and padding) counts
    with its first word, and a login shell without its dash."""
    word = word.strip()
    if not word.startswith("/"):
        word = word.partition(" ")[0].removeprefix("-")
    return PROGRAM.sub("", word.rpartition("/")[2].lower())


def script(path: str) -> str:
    """The name of a script's file."""
    return SCRIPT.sub("", path.rpartition("/")[2].lower())


def interpreted(name: str, argv: Sequence[str]) -> Program | None:
    """What `argv` gives the interpreter called `name` to run; None where that is none or was given nothing."""
    found = INTERPRETERS.get(name) or INTERPRETERS.get(VERSION.sub("", name))
    if found is None:
        return None
    place = 1
    while place < len(argv):
        word = argv[place]
        place += 1
        if word == "--":
            return _script(argv[place], argv[place + 1 :]) if place < len(argv) else None
        if word in found.words:
            continue
        if word.startswith("--"):
            if word in found.long_inline:
                return None
            place += word in found.long_values
        elif word.startswith(("-", "+")):
            letter, rest = _decisive(found, word[1:])
            if not word[1:] or (letter and letter in found.inline):
                return None
            if letter and letter in found.module:
                return _module([rest, *argv[place:]] if rest else argv[place:])
            place += bool(letter and not rest)
        else:
            return _script(word, argv[place:])
    return None


def _decisive(found: Interpreter, letters: str) -> tuple[str, str]:
    """The first letter of a word of short options that means something to us, and what follows it in the word."""
    for place, letter in enumerate(letters):
        if letter in found.inline or letter in found.module or letter in found.values:
            return letter, letters[place + 1 :]
    return "", ""


def _module(words: Sequence[str]) -> Program | None:
    return Program(module=words[0].lower(), arguments=tuple(words[1:])) if words else None


def _script(path: str, arguments: Sequence[str]) -> Program:
    return Program(script=script(path), package=_package(path), arguments=tuple(arguments))


def _package(path: str) -> str:
    """What follows the last `node_modules`."""
    _, found, rest = f"/{path}".rpartition(NODE_MODULES)
    parts = rest.split("/")
    size = 2 if rest.startswith("@") else 1
    return "/".join(parts[:size]).lower() if found and len(parts) > size else ""


def commands(arguments: Sequence[str]) -> list[str]:
    """The arguments that may be the program's subcommand: the first that is no option, and what stands before it
    behind an option, since it may be that option's value or not."""
    found = []
    after_option = False
    for word in arguments:
        if word == "--":
            break
        if not word.startswith("-"):
            found.append(word)
            if not after_option:
                break
        after_option = word.startswith("-")
    return found
