"""What the doctor says of sign-in: on, or off and who is answered then."""

from app.operations.finding import Finding
from app.settings import Settings
from app.web.this_machine import this_machine


def sign_in_finding(settings: Settings) -> Finding:
    if not settings.auth_disabled:
        return Finding("sign-in", "ok", "on", "on")
    here = this_machine(settings)
    text = f"off: answered is who asks for localhost from {here.peers}"
    fix = ""
    if here.unnamed:
        fix = (
            f"In a container whose port is published on loopback, PUBLISHED_AT=127.0.0.1:8000 adds {here.unnamed}, "
            "from where Docker passes on what comes there."
        )
    return Finding("sign-in", "note", text, "off", fix)
