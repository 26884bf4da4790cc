"""What a terminal runs that goes from one multiplexer to another; run as `python -I -S cross.py RUNTIME ORDER`."""

import sys

root = __file__.rpartition("/scripts/")[0]
sys.path[:0] = [root]  # a checkout
sys.path.append(root.rpartition("/")[0])  # an installed package

from opensessions.crossing import main  # noqa: E402

sys.exit(main(sys.argv[1:]))
