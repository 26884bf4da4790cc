"""A sidebar's process; run in a pane as `python -I -S sidebar.py runtime=… socket=… python=…`."""

import sys

root = __file__.rpartition("/scripts/")[0]
sys.path[:0] = [root]  # a checkout
sys.path.append(root.rpartition("/")[0])  # an installed package

from opensessions.pump import main  # noqa: E402

sys.exit(main(sys.argv[1:]))
