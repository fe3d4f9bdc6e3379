"""What ends a command before it is done, in words for a person, and the exit codes."""

FAILED, USAGE, NO_ENGINE, NOT_THERE, REFUSED, IN_USE, NOT_CONFIRMED, CANT_WRITE, INTERRUPTED = (
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    130,
)

EXIT_CODES = {
    0: "done",
    FAILED: "failed in another way; the message says how",
    USAGE: "wrong usage",
    NO_ENGINE: "no Docker engine, no permission on its socket, or no Docker SDK",
    NOT_THERE: "no such volume, image or database",
    REFUSED: "the file or the volume's content is wrong: damaged, changed, foreign",
    IN_USE: "in use by a container, or by another of these commands",
    NOT_CONFIRMED: "not confirmed",
    CANT_WRITE: "no room, or no permission to write",
    INTERRUPTED: "interrupted",
}


class Stop(Exception):
    """`message` says what happened and to which value, `hint` what is true now and what to type next."""

    def __init__(self, message: str, hint: str = "", code: int = FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
