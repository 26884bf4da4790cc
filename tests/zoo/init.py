"""The first process of a PID namespace: `python -I -S init.py SECONDS PROGRAM ARGUMENT…`

It runs the program, takes leave of every orphan, and ends with the program or after so many seconds. Whatever runs in
the namespace then is killed by the kernel.
"""

import os
import signal
import sys


def main() -> None:
    signal.signal(signal.SIGALRM, lambda number, frame: os._exit(124))
    signal.setitimer(signal.ITIMER_REAL, float(sys.argv[1]))
    program = os.fork()
    if program == 0:
        os.execv(sys.argv[2], sys.argv[2:])
    while True:
        pid, status = os.wait()
        if pid == program:
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


if __name__ == "__main__":
    main()
