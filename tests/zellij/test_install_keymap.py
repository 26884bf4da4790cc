from __future__ import annotations

from pathlib import Path

import pytest

from opensessions_zellij.kdl import read
from opensessions_zellij.keymap import Keymap, leads_to, normal, over, way

DATA = Path(__file__).parent / "data"
DEFAULTS = over({}, read((DATA / "default-0.45.1.kdl").read_text()))
UNLOCK = over(DEFAULTS, read((DATA / "unlock-first-0.45.1.kdl").read_text()))


def acts(keymap: Keymap, mode: str, key: str) -> list[str]:
    node = keymap.get((mode, normal(key)))
    return [action.name for action in node.children or ()] if node else []


def changed(text: str) -> Keymap:
    return over(DEFAULTS, read(text))


@pytest.mark.parametrize(
    ("one", "other"),
    [("Ctrl o", "ctrl  O".lower()), ("Alt Shift p", "Shift Alt p"), ("A", "Shift a"), ("Esc", "esc")],
)
def test_a_key_has_one_spelling(one: str, other: str) -> None:
    assert normal(one) == normal(other)


def test_other_keys_are_others() -> None:
    assert len({normal(key) for key in ("a", "A", "Ctrl a", "Alt a", "Ctrl Alt a", "Space", "?")}) == 7


def test_the_default_keys() -> None:
    assert acts(DEFAULTS, "session", "d") == ["Detach"]
    assert acts(DEFAULTS, "session", "o") == []
    assert acts(DEFAULTS, "normal", "Alt f") == ["ToggleFloatingPanes"]
    assert acts(DEFAULTS, "locked", "Alt f") == []
    assert acts(DEFAULTS, "prompt", "Ctrl g") == ["SwitchToMode"]


def test_a_configuration_changes_the_defaults() -> None:
    keymap = changed(
        'keybinds {\n normal {\n bind "Alt f" { NoOp; }\n unbind "Alt n"\n }\n'
        ' shared_among "pane" "tab" { bind "Q" { Quit; }; }\n unbind "Ctrl o"\n}'
    )
    assert acts(keymap, "normal", "Alt f") == ["NoOp"]
    assert acts(keymap, "normal", "Alt n") == []
    assert acts(keymap, "pane", "Alt n") == ["NewPane"]
    assert acts(keymap, "tab", "Shift q") == ["Quit"]
    assert acts(keymap, "move", "Q") == []
    assert not any(key == normal("Ctrl o") for _, key in keymap)


def test_defaults_can_be_cleared() -> None:
    keymap = changed('keybinds clear-defaults=true {\n tab {\n bind "x" { CloseTab; }\n }\n}')
    assert set(keymap) == {("tab", "x")}
    keymap = changed('keybinds {\n tab clear-defaults=true {\n bind "x" { CloseTab; }\n }\n}')
    assert {key for mode, key in keymap if mode == "tab"} == {"x"}
    assert acts(keymap, "session", "d") == ["Detach"]


def test_zellij_reads_the_first_keybinds_alone() -> None:
    keymap = changed('keybinds {\n normal { unbind "Alt f"; }\n}\nkeybinds {\n normal { unbind "Alt n"; }\n}')
    assert acts(keymap, "normal", "Alt f") == []
    assert acts(keymap, "normal", "Alt n") == ["NewPane"]


def test_the_way_to_a_mode() -> None:
    assert way(DEFAULTS, "normal", "session") == ("Ctrl o",)
    assert way(DEFAULTS, "normal", "normal") == ()
    assert way(DEFAULTS, "normal", "prompt") is None
    assert way(UNLOCK, "locked", "session") == ("Ctrl g", "o")


def test_what_leads_to_a_mode() -> None:
    assert leads_to(DEFAULTS["normal", normal("Ctrl o")], "session")
    assert not leads_to(DEFAULTS["normal", normal("Alt f")], "session")
