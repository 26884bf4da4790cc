"""What tmux starts for a key, a hook or a pane imports a little of the standard library and nothing else."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from opensessions import installation, order, paths

COLD = {"cross.py"}
"""No key waits for it."""
SCRIPTS = sorted(
    path for path in (Path(installation.root()) / "scripts").glob("*.py") if path.name not in COLD
)

SLOW = {
    "argparse", "asyncio", "concurrent", "contextlib", "dataclasses", "hashlib", "importlib.metadata", "inspect",
    "json", "logging", "multiprocessing", "pathlib", "re", "shutil", "site", "ssl", "subprocess", "tempfile",
    "threading", "traceback", "typing", "unittest", "urllib",
    "h11", "msgspec", "psutil", "wcwidth", "yaml",
}  # fmt: skip
"""Each takes a millisecond or more, or is not there without a virtual environment."""

LOADED = re.compile(r"^import time:\s+\d+ \|\s+\d+ \|\s+(\S+)$", re.MULTILINE)


@pytest.mark.parametrize("script", SCRIPTS, ids=[script.name for script in SCRIPTS])
def test_a_hot_script_imports_little(script: Path, short: Path) -> None:
    """Run for real, where a server seems to run and has left an ordering file, and with /bin/echo for tmux."""
    runtime = paths.ensure_runtime(str(short / "run"))
    socket = str(short / "tmux")
    folder = Path(paths.mux_dir(runtime, paths.tmux_key(socket)))
    folder.mkdir(parents=True)
    order.write(str(folder / "ordering"), order.encode([("$1", "one"), ("$2", "two")]))
    Path(paths.pid_file(runtime)).write_text(f"{os.getpid()}\n")
    first = {"switch.py": ["2"], "notify.py": ["sidebar-toggle"], "hook.py": ["codex"]}.get(script.name, [])
    given = {
        "client": "/dev/null", "socket": socket, "session": "$1", "started": "0", "runtime": runtime,
        "mux": paths.tmux_key(socket), "python": "/bin/false", "tmux": "/bin/echo",
    }  # fmt: skip
    done = subprocess.run(
        [installation.interpreter(), "-I", "-S", "-X", "importtime", str(script), *first]
        + [f"{name}={value}" for name, value in given.items()],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False,
        env={"PATH": os.defpath, "HOME": str(short), "OPENSESSIONS_STATE_DIR": str(short / "state")},
    )  # fmt: skip
    loaded = set(LOADED.findall(done.stderr))
    assert any(
        name.startswith("opensessions_tmux") or name in ("opensessions.pump", "opensessions.hook")
        for name in loaded
    ), done.stderr
    assert not {name for name in loaded if name in SLOW or name.partition(".")[0] in SLOW}
    assert "Traceback" not in done.stderr
    if script.name == "switch.py":
        assert "switch-client -c /dev/null -t $2" in done.stdout


def test_the_scripts_are_there() -> None:
    assert {"switch.py", "notify.py", "start.py", "sidebar.py", "hook.py"} <= {
        script.name for script in SCRIPTS
    }
