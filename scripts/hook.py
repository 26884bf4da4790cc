"""What an agent's hook runs, as `python -I -S hook.py AGENT [EVENT]` with the hook's JSON on standard input."""

import sys

root = __file__.rpartition("/scripts/")[0]
sys.path.insert(0, root)  # a checkout
sys.path.append(root.rpartition("/")[0])  # an installed package

from opensessions.hook import main  # noqa: E402

sys.exit(main(sys.argv[1:]))
