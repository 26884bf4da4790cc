"""What a key hands over to the server goes on when the key's pane has closed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

KEY = """
import os, sys, time
from opensessions_zellij import pressed

own = os.setsid

def slowly():
    time.sleep(0.5)
    own()
    open(sys.argv[1], "w").close()

os.setsid = slowly
pressed._wait_for_the_pane = lambda given: os._exit(0)
sys.exit(pressed._hand_over({"client": "s/1", "tmux": "/bin/false", "session": "s"}, "sidebar-toggle"))
"""


def test_the_pane_stays_until_the_helper_has_a_session_of_its_own(tmp_path: Path) -> None:
    """zellij hangs up whoever is left in the pane's session when it closes."""
    told = tmp_path / "told"
    assert subprocess.run([sys.executable, "-c", KEY, str(told)], check=False, timeout=60).returncode == 0
    assert told.exists()
