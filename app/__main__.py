import gc
import os
import signal

CTRL_C = signal.getsignal(signal.SIGINT)
if CTRL_C is signal.default_int_handler:
    # While Python imports what follows nothing is begun yet, and Ctrl-C need not end in a traceback.
    signal.signal(signal.SIGINT, lambda *_: os._exit(128 + signal.SIGINT))

# What is imported stays: to look through it again and again for what can go takes a tenth of a start.
gc.disable()

from app.cli import main  # noqa: E402

gc.enable()
signal.signal(signal.SIGINT, CTRL_C)
# Not "python -m app": that is how the command is made, not what is typed.
main(prog_name="task-assist")
