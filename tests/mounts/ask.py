"""Asks the app in this guest until it answers with a status, and prints the body.

usage: python3 ask.py PORT PATH [STATUS [SECONDS]]     default 200, 60; exits with 1 if it never came
"""

import http.client
import sys
import time

ONE_ANSWER_SECONDS = 20


def ask(port: int, path: str) -> tuple[int, str]:
    """Status and body; status 0 and the reason where none came."""
    connection = http.client.HTTPConnection("localhost", port, timeout=ONE_ANSWER_SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return 0, repr(error)
    finally:
        connection.close()


def main(port: str, path: str, wanted: str = "200", seconds: str = "60") -> None:
    give_up = time.monotonic() + float(seconds)
    while True:
        status, body = ask(int(port), path)
        if status == int(wanted):
            print(body)
            return
        if time.monotonic() > give_up:
            sys.exit(f"{path} of port {port} never answered {wanted}; at last {status}: {body}")
        time.sleep(0.02)


if __name__ == "__main__":
    main(*sys.argv[1:])
