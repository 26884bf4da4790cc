"""What the tests' own zellij does where the real one is at fault."""

from __future__ import annotations

from tests.support.terminal import Terminal
from tests.support.world import World
from tests.support.zellij import Zellij

SAID = (
    "Your zellij client lost connection to the zellij server.\\n\\nThere are a few things you can try now:\\n"
    "    - Reattach to your previous session and see if it works out better this\\n      time: `zellij attach %s`\\n"
)
"""What a client prints that zellij has thrown out (0.45.1)."""


def test_a_client_that_was_thrown_out_is_attached_again(zworld: World, zellij: Zellij) -> None:
    zellij.new("alpha")
    terminal = Terminal(["/bin/sh", "-c", f"printf '{SAID % 'alpha'}'"], zworld.env, 120, 30)
    zworld.terminals.append(terminal)
    zworld.until(lambda: terminal.ended, "its end")
    zellij.arrives(terminal, "alpha")
    assert len(zellij.clients("alpha")) == 1


def test_one_whose_session_has_ended_is_not(zworld: World, zellij: Zellij) -> None:
    terminal = Terminal(["/bin/sh", "-c", f"printf '{SAID % 'gone'}'"], zworld.env, 120, 30)
    zworld.terminals.append(terminal)
    zworld.until(lambda: terminal.ended, "its end")
    assert not zellij.stays(terminal)
    assert terminal.ended
