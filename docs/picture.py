"""Draws docs/sidebar.svg from a real run: `python docs/picture.py` in the project's environment.

A private tmux with example sessions, a client on a pseudo-terminal, the sidebar shown, the screen's cells as SVG.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from html import escape
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.terminal import Terminal  # noqa: E402
from tests.support.world import World, tmux_versions  # noqa: E402

CELL, LINE, MARGIN = 8.4, 18, 12
GROUND, TEXT = "#1e1e2e", "#cdd6f4"
WIDTH = 34
SESSIONS = ("shop", "checkout", "web", "docs", "release")
AGENTS = {
    "main": ("codex", "⠋ main"),
    "checkout": ("codex", "[ ! ] Action Required | checkout"),
    "docs": ("claude", "docs"),
    "release": ("gemini", "◇  Ready (release)"),
}
"""Session -> a stand-in with the agent's name, and the title that the real one sets in this state."""
SCREEN = r"""
  Would you like to run the following command?

    $ make deploy

  1. Yes, proceed (y)
  2. No, and tell Codex what to do differently (esc)
"""
"""What the agent shows that waits."""


def main() -> None:
    """Write the picture beside this file."""
    tmux = next(iter(tmux_versions().values()))
    with closing(World(tmux)) as world:
        world.env["COLORTERM"] = "truecolor"
        world.config.write_text(f"sidebar: {{width: {WIDTH}, detail: true, detail_height: 12}}\n")
        folders = working_trees(world)
        mux = world.mux(
            conf="set -g status-style 'bg=#181825,fg=#a6adc8'\nset -g pane-border-style 'fg=#313244'\n"
            "set -g pane-active-border-style 'fg=#313244'\nset -as terminal-features ',xterm-256color:RGB'"
        )
        for name in SESSIONS:
            mux.new(name, "-c", str(folders.get(name, world.home)))
        mux("new-window", "-d", "-t", "=web:", "-n", "logs", "cat")
        for session, (agent, title) in AGENTS.items():
            program = world.home / "agents" / session / agent
            program.parent.mkdir(parents=True)
            said = f"\x1b]2;{title}\x07" + (SCREEN if "!" in title else "")
            program.write_text(
                f"#!{sys.executable}\nimport sys\nprint({said!r}, flush=True)\nsys.stdin.read()\n"
            )
            program.chmod(0o755)
            mux("send-keys", "-t", f"={session}:", f"clear; {program}", "Enter")
        mux.load()
        client = mux.attach(cols=100, rows=28)
        mux("switch-client", "-c", client.tty, "-t", "=web:")
        world.cli("set-status", "--session", "docs", "building", env=mux.inside())
        world.cli("set-progress", "--session", "docs", "--percent", "0.6", env=mux.inside())
        client.type(b"\x02os")
        world.until(lambda: all(name in sidebar(client) for name in ("main", "release")), "the rows")
        world.until(
            lambda: world.cli("list", env=mux.inside()).stdout.count("[") == len(AGENTS), "the agents"
        )
        world.until(lambda: "!" in sidebar(client) and "feat" in sidebar(client), "the agent that waits")
        world.until(lambda: "help" in sidebar(client), "the hints")
        client.type(b"l")
        world.until(lambda: "logs" in sidebar(client), "the windows")
        client.type(b"k")
        world.until(lambda: "make deploy" in sidebar(client), "the agent's screen in the detail")
        client.pump(0.3)
        (ROOT / "docs" / "sidebar.svg").write_text(svg(client), encoding="utf-8")


def sidebar(client: Terminal) -> str:
    """The left part of the screen."""
    return "\n".join(line[:WIDTH] for line in client.screen.display)


def working_trees(world: World) -> dict[str, Path]:
    """A repository with a working tree beside it, by the session that works in each."""
    shop, checkout = world.home / "shop", world.home / "checkout"
    who = ["-c", "user.name=example", "-c", "user.email=example@example.org"]
    for words in (
        ["init", "-q", "-b", "main", str(shop)],
        ["-C", str(shop), *who, "commit", "-q", "--allow-empty", "-m", "begin"],
        ["-C", str(shop), "worktree", "add", "-q", "-b", "feat/pay", str(checkout)],
    ):
        subprocess.run(["git", *words], env=world.env, check=True)
    return {"shop": shop, "checkout": checkout}


def svg(client: Terminal) -> str:
    """The screen as SVG: a rectangle and a text for every run of cells that look alike."""
    screen = client.screen
    width, height = screen.columns * CELL + 2 * MARGIN, screen.lines * LINE + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" font-size="14"'
        ' font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,monospace">',
        f'<rect width="{width:g}" height="{height:g}" rx="8" fill="{GROUND}"/>',
    ]
    for y in range(screen.lines):
        cells = [screen.buffer[y][x] for x in range(screen.columns)]
        for look, run in groupby(range(screen.columns), key=lambda x: (colours(cells[x]), cells[x].bold)):
            (front, back), bold = look
            columns = list(run)
            text = "".join(cells[x].data for x in columns)
            left, top = MARGIN + columns[0] * CELL, MARGIN + y * LINE
            if back != GROUND:
                parts.append(
                    f'<rect x="{left:.1f}" y="{top}" width="{len(columns) * CELL:.1f}" height="{LINE}" fill="{back}"/>'
                )
            if text.strip():
                weight = ' font-weight="bold"' if bold else ""
                parts.append(
                    f'<text x="{left:.1f}" y="{top + 13}" fill="{front}"{weight} xml:space="preserve"'
                    f' textLength="{len(columns) * CELL:.1f}">{escape(text)}</text>'
                )
    return "\n".join([*parts, "</svg>", ""])


def colours(cell: object) -> tuple[str, str]:
    """Front and back of a cell as SVG colours."""
    front, back = (colour(getattr(cell, name), base) for name, base in (("fg", TEXT), ("bg", GROUND)))
    return (back, front) if getattr(cell, "reverse", False) else (front, back)


def colour(name: str, base: str) -> str:
    """pyte's colour: a hex number, a name, or "default"."""
    if name == "default":
        return base
    return (
        f"#{name}" if len(name) == 6 and all(digit in "0123456789abcdef" for digit in name.lower()) else name
    )


if __name__ == "__main__":
    main()
