"""The thin switch: read one line of the ordering file, become `tmux switch-client`.

This is what a key press waits for, so it imports `posix` alone (`os` costs 1.5 ms, `__future__` 0.3) and no server
is asked. Whatever is not the common case is in `cold`. The first argument says where to: an index, `next`, `prev`
or `=NAME`; the others are what tmux knew when the key was pressed, as `key=value`.
"""

import posix

from opensessions import order


def main(argv: list[str]) -> int:
    """Switch the client. 0: done, or there is no such row (a silent no-op). On success this process has become
    tmux, whose status is 1 where the session died in this instant."""
    given = dict([part.partition("=")[::2] for part in argv[1:]])
    rows = order.read(
        f"{given.get('runtime')}/mux/{given.get('mux')}/ordering", float(given.get("started") or 0)
    )
    if rows is None or not order.serves(given["runtime"]):
        from opensessions_tmux import cold

        return cold.main(argv[0], given, rows)
    target = order.choose(rows, argv[0], given.get("session", ""))
    if target:
        tmux = given["tmux"]
        posix.execv(tmux, [tmux, "-S", given["socket"], "switch-client", "-c", given["client"], "-t", target])
    return 0
