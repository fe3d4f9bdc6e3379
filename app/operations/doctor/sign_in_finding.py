"""What the doctor says of sign-in: on, or off and who is answered then."""

from app.operations.doctor.finding import Finding
from app.settings import Settings
from app.web.this_machine import this_machine


def sign_in_finding(settings: Settings) -> Finding:
    if not settings.auth_disabled:
        return Finding("sign-in", "ok", "on", "on")
    return Finding("sign-in", "note", f"off: answered is who asks for localhost from {this_machine().peers}", "off")
