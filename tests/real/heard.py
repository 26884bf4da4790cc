"""`python -I -S heard.py AGENT EVENT`: an agent's hook that writes down what it was told, to be recorded."""

from __future__ import annotations

import json
import os
import sys
import time

line = {
    "at": time.time(),
    "agent": sys.argv[1],
    "event": sys.argv[2],
    "pane": os.environ.get("TMUX_PANE", ""),
    "ppid": os.getppid(),
    "cwd": os.getcwd(),
    "payload": sys.stdin.read(1 << 20),
}
with open(os.environ["HOME"] + "/heard.jsonl", "a") as file:
    file.write(json.dumps(line) + "\n")
