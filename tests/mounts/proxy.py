"""Stands in front of the instances of one app as a platform does, from inside a guest.

Routes each request to the newest instance whose /healthz answers 200. FILE names the instances, a line each, oldest
first: HOST PORT. It may be renamed over while this runs. A request that can't be passed on is answered 502: nothing is
tried again.

It signs in before the first request, and passes that session on with each.

usage: python3 proxy.py PORT FILE EMAIL PASSWORD
"""

import http.client
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

LOOK_SECONDS = 0.2
PROBE_SECONDS = 2
ANSWER_SECONDS = 30
Instance = tuple[str, int]


def instances(file: Path) -> list[Instance]:
    return [(host, int(port)) for host, port in map(str.split, file.read_text().splitlines())]


def healthy(instance: Instance) -> bool:
    connection = http.client.HTTPConnection(*instance, timeout=PROBE_SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


class Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, file: Path, email: str, password: str) -> None:
        super().__init__(("127.0.0.1", port), Request)
        self.target: Instance | None = None
        self.cookie = ""
        """Of the session that the first instance began; all instances of one database know it."""
        self._account = urlencode({"email": email, "password": password})
        threading.Thread(target=self._look, args=(file,), daemon=True).start()

    def _look(self, file: Path) -> None:
        while True:
            newest = next((each for each in reversed(instances(file)) if healthy(each)), self.target)
            if newest and not self.cookie:  # before the first request, which must not wait for it
                self.cookie = sign_in(newest, self._account)
            self.target = newest if self.cookie else None
            time.sleep(LOOK_SECONDS)


def sign_in(target: Instance, form: str) -> str:
    """The cookies of a session, empty where the instance does not answer yet."""
    connection = http.client.HTTPConnection(*target, timeout=ANSWER_SECONDS)
    try:
        connection.request("POST", "/sign-in", form, {"Content-Type": "application/x-www-form-urlencoded"})
        cookies = connection.getresponse().headers.get_all("Set-Cookie", [])
        return "; ".join(cookie.partition(";")[0] for cookie in cookies)
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()


class Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _pass_on(self) -> None:
        assert isinstance(self.server, Proxy)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            status, kind, answer = self._ask(self.server.target, body)
        except (OSError, http.client.HTTPException) as error:
            status, kind, answer = 502, "text/plain", f"{self.server.target}: {error!r}".encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _ask(self, target: Instance | None, body: bytes) -> tuple[int, str, bytes]:
        if target is None:
            raise ConnectionRefusedError("no instance yet")
        connection = http.client.HTTPConnection(*target, timeout=ANSWER_SECONDS)
        try:
            assert isinstance(self.server, Proxy)
            headers = {"Content-Type": self.headers.get("Content-Type", ""), "Cookie": self.server.cookie}
            connection.request(self.command, self.path, body, headers)
            response = connection.getresponse()
            return response.status, response.headers["Content-Type"], response.read()
        finally:
            connection.close()

    do_GET = do_POST = _pass_on

    def log_message(self, format: str, *args: object) -> None:
        """What was asked is of no use here."""


if __name__ == "__main__":
    Proxy(int(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:]).serve_forever()
