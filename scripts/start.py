"""Starts the server if none runs and registers the tmux that asks; run as `python -I -S start.py key=value …`."""

import sys

root = __file__.rpartition("/scripts/")[0]
sys.path[:0] = [root, root + "/providers"]  # a checkout
sys.path.append(root.rpartition("/")[0])  # an installed package

from opensessions_tmux.tell import main  # noqa: E402

sys.exit(main(["register", *sys.argv[1:]]))
