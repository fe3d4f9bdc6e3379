from app.cli import main

# Not "python -m app": that is how the command is made, not what is typed.
main(prog_name="task-assist")
