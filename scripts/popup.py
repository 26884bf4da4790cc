"""The sidebar in a popup; run as `python -I -S popup.py key=value …`."""

import sys

root = __file__.rpartition("/scripts/")[0]
sys.path[:0] = [root, root + "/providers"]  # a checkout
sys.path.append(root.rpartition("/")[0])  # an installed package

from opensessions_tmux.popup import main  # noqa: E402

sys.exit(main(sys.argv[1:]))
