"""The thin entrypoint of zellij's keys and layout; run as `python -I -S zellij.py VERB …`."""

import sys

root = __file__.rpartition("/scripts/")[0]
sys.path[:0] = [root, root + "/providers"]  # a checkout
sys.path.append(root.rpartition("/")[0])  # an installed package

from opensessions_zellij.switch import main  # noqa: E402

sys.exit(main(sys.argv[1:]))
