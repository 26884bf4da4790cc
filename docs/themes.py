"""Draws docs/themes.svg, the same few sessions in every theme: `python docs/themes.py` in the project's environment."""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from opensessions.model import AgentState  # noqa: E402
from opensessions.sidebar.rows import ViewOptions  # noqa: E402
from opensessions.sidebar.theme import Theme, sequence  # noqa: E402
from opensessions.sidebar.themes import SHIPPED  # noqa: E402
from opensessions.sidebar.ui import Scene, Ui  # noqa: E402
from opensessions.sidebar.view import Frame, view  # noqa: E402
from tests.sidebar.scenes import mux, row  # noqa: E402

CELL, LINE, GAP, COLUMNS = 7.2, 16, 14, 4
WIDTH, HEIGHT = 26, 8
GROUND, TEXT = "#1e1e2e", "#cdd6f4"
TERMINAL = ("#45475a", "#f38ba8", "#a6e3a1", "#f9e2af", "#89b4fa", "#f5c2e7", "#94e2d5", "#bac2de")
"""What a terminal's own colours may look like."""
SESSIONS: tuple[tuple[str, AgentState | None], ...] = (
    ("api", "waiting"), ("web", "running"), ("docs", "done"), ("infra", "error"), ("notes", "idle"),
)  # fmt: skip


def main() -> None:
    """Write the picture beside this file."""
    (ROOT / "docs" / "themes.svg").write_text(drawn(), encoding="utf-8")


def drawn() -> str:
    """All themes, four in a line."""
    across, down = WIDTH * CELL + GAP, HEIGHT * LINE + LINE + GAP
    lines = -(-len(SHIPPED) // COLUMNS)
    width, height = COLUMNS * across + GAP, lines * down + GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" font-size="12"'
        ' font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,monospace" xml:space="preserve">',
        f'<rect width="{width:g}" height="{height:g}" rx="8" fill="{GROUND}"/>',
    ]
    for place, theme in enumerate(SHIPPED.values()):
        left, top = GAP + place % COLUMNS * across, GAP + place // COLUMNS * down
        parts.append(f'<text x="{left:.1f}" y="{top + 11:g}" fill="{TEXT}">{theme.name}</text>')
        parts += panel(theme, picture(), left, top + LINE)
    return "\n".join([*parts, "</svg>", ""])


def picture() -> Frame:
    """Five sessions, the second one current, the cursor on the first."""
    rows = [
        row(f"${number}", name, number, [("codex", state)] if state else [], unseen=state == "done")
        for number, (name, state) in enumerate(SESSIONS, 1)
    ]
    scene = Scene(mux(*rows), WIDTH, HEIGHT, own="$2", current="$2", focused=True)
    return view(scene, Ui(cursor="$1"), ViewOptions())


def panel(theme: Theme, frame: Frame, left: float, top: float) -> list[str]:
    """A sidebar in one theme."""
    page = look(theme, "page")[1]
    size = f'width="{WIDTH * CELL:.1f}" height="{HEIGHT * LINE}"'
    parts = [f'<rect x="{left:.1f}" y="{top:g}" {size} fill="{page}"/>']
    for number, line in enumerate(frame.lines):
        column = 0
        texts = []
        y = top + number * LINE
        for text, style in line:
            front, back, more = look(theme, style)
            x = left + column * CELL
            if back != page:
                parts.append(
                    f'<rect x="{x:.1f}" y="{y:g}" width="{len(text) * CELL:.1f}" height="{LINE}" fill="{back}"/>'
                )
            if text.strip():
                texts.append(f'<tspan x="{x:.1f}" fill="{front}"{more}>{escape(text)}</tspan>')
            column += len(text)
        if texts:
            parts.append(f'<text y="{y + 12:g}">{"".join(texts)}</text>')
    return parts


def look(theme: Theme, style: str) -> tuple[str, str, str]:
    """Text, ground and what else SVG must know, from the sequence that a terminal gets."""
    front, back, more, reverse = TEXT, GROUND, "", False
    codes = list(map(int, sequence(theme, "rgb", style)[2:-1].split(";")))
    while codes:
        code = codes.pop(0)
        if code in (38, 48):
            colour = "#{:02x}{:02x}{:02x}".format(*codes[1:4])
            del codes[:4]
            front, back = (colour, back) if code == 38 else (front, colour)
        elif 30 <= code < 38:
            front = TERMINAL[code - 30]
        elif code == 1:
            more += ' font-weight="bold"'
        elif code == 2:
            more += ' opacity="0.6"'
        elif code == 7:
            reverse = True
    return (back, front, more) if reverse else (front, back, more)


if __name__ == "__main__":
    main()
