"""What the app is given of a request: the same as by the standard library's WSGI server, but for what is safer."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from tests.app.operations.echo import echo
from tests.app.processes import Serving, ask, eventually, exchange, wait_until_ready
from tests.ports import free_port

ROOT = Path(__file__).parents[3]
ALIKE = {"SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "REQUEST_METHOD", "CONTENT_TYPE", "CONTENT_LENGTH", "REMOTE_ADDR"}


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def reference():
    with make_server("127.0.0.1", 0, echo, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def ours():
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.app.operations.echo", str(port)], cwd=ROOT)

    def answers() -> bool:
        assert process.poll() is None
        try:
            return ask(port, "GET", "/").status == 200
        except OSError:
            return False

    eventually(answers)
    yield port
    process.terminate()
    process.wait()


def request(line: str, *headers: str, body: bytes = b"") -> bytes:
    return "\r\n".join([line, "Host: localhost:8000", *headers, "Connection: close", "", ""]).encode("latin-1") + body


def given(port: int, asked: bytes) -> dict:
    """What the app got, without what tells one server from the other."""
    head, _, body = exchange(port, asked, hang_up=False).partition(b"\r\n\r\n")
    assert head.split()[1:2] == [b"200"], head
    answer = json.loads(body)
    answer["environ"] = {
        name: value for name, value in answer["environ"].items() if name in ALIKE or name.startswith("HTTP_")
    }
    answer["environ"].pop("HTTP_CONNECTION", None)
    # PEP 3333: either may be empty or absent. The standard library has text/plain for a request that has no type.
    if answer["environ"].get("CONTENT_LENGTH") in ("", "0"):
        del answer["environ"]["CONTENT_LENGTH"]
    if answer["environ"].get("CONTENT_TYPE") in ("", "text/plain"):
        del answer["environ"]["CONTENT_TYPE"]
    return answer


LINES = ["/", "/a%20b", "/%C3%A4rger", "/%FF%FE", "/a%2Fb", "/%25zz", "/a%zz%", "/a+b", "//double//", "/a/../b",
         "/a;p=1", "/?", "/??", "/?q=%20%C3%A4&q=+", "/?a=b?c", "/a%3Fb?c", "/%E2%82", "/%00",
         "/~a(b)!$&,=:@"]  # fmt: skip


@pytest.mark.parametrize("target", LINES)
def test_every_spelling_of_a_path_arrives_as_wsgi_wants_it(ours: int, reference: int, target: str):
    asked = request(f"GET {target} HTTP/1.1")
    assert given(ours, asked) == given(reference, asked)


@pytest.mark.parametrize("target", ["/ä", "/?ä"])
def test_a_target_that_is_not_ascii_arrives_alike_or_not_at_all(ours: int, reference: int, target: str):
    asked = request(f"GET {target} HTTP/1.1")
    head = exchange(ours, asked)
    assert head.startswith(b"HTTP/1.1 400") or given(ours, asked) == given(reference, asked)


HEADERS = [
    ("X-A: 1",),
    ("X-A: 1", "x-b: 2", "X-A: 3"),
    ("X-A:   spaces  inside   ",),
    ("X-A:",),
    ("X-A: \xe4\xf6\xfc",),
    ("X-A: " + "long" * 3000,),
    ("X-Forwarded-For: 203.0.113.7, 198.51.100.1", "X-Forwarded-For: 192.0.2.1"),
    ("Cookie: a=\xe4; task_assist=signed",),
    ("Authorization: Bearer x", "Accept: */*", "Accept-Language: de"),
    ("Content-Type: application/json; charset=utf-8",),
]


@pytest.mark.parametrize("headers", HEADERS, ids=lambda headers: headers[0][:24])
def test_headers_arrive_whole_and_repeated_ones_joined(ours: int, reference: int, headers: tuple[str, ...]):
    asked = request("GET / HTTP/1.1", *headers)
    assert given(ours, asked) == given(reference, asked)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
@pytest.mark.parametrize("body", [b"", b"a=1&b=2", bytes(range(256))])
def test_bodies_arrive_with_every_method(ours: int, reference: int, method: str, body: bytes):
    asked = request(f"{method} / HTTP/1.1", "Content-Type: a/b", f"Content-Length: {len(body)}", body=body)
    assert given(ours, asked) == given(reference, asked)


def test_a_body_in_chunks_arrives_with_its_length(ours: int):
    asked = request("POST / HTTP/1.1", "Transfer-Encoding: chunked", body=b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    got = given(ours, asked)
    assert (got["body"], got["environ"]["CONTENT_LENGTH"]) == ("abcde", "5")
    assert "HTTP_TRANSFER_ENCODING" not in got["environ"]


def test_an_old_client_is_answered(ours: int):
    assert given(ours, b"GET /a?b HTTP/1.0\r\n\r\n")["environ"]["PATH_INFO"] == "/a"


# --- what is safer ----------------------------------------------------------------------------------------


def test_a_header_with_an_underscore_does_not_stand_in_for_one_with_hyphens(ours: int):
    headers = ("X-Forwarded-For: 203.0.113.7", "X_Forwarded_For: 198.51.100.1", "X-Forwarded_Proto: https")
    environ = given(ours, request("GET / HTTP/1.1", *headers))["environ"]
    assert environ["HTTP_X_FORWARDED_FOR"] == "203.0.113.7"
    assert "HTTP_X_FORWARDED_PROTO" not in environ


def test_two_cookie_headers_are_one_list_of_cookies(ours: int):
    assert given(ours, request("GET / HTTP/1.1", "Cookie: a=1", "Cookie: b=2"))["environ"]["HTTP_COOKIE"] == "a=1; b=2"


@pytest.mark.parametrize(
    "headers",
    [("Host: evil.example",), ("Content-Length: 1", "Content-Length: 2"), ("Content-Length: x",),
     ("Content-Length: -1",), ("Transfer-Encoding: gzip, chunked",)],
)  # fmt: skip
def test_what_two_servers_could_read_differently_is_refused(ours: int, headers: tuple[str, ...]):
    assert exchange(ours, request("POST / HTTP/1.1", *headers, body=b"ab")).startswith(b"HTTP/1.1 400")


def test_the_beginning_of_http_2_is_refused(ours: int):
    """With frames of its own a connection could hold a hundred requests at once."""
    answer = exchange(ours, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")


def test_the_proxys_word_for_the_clients_address_counts_whatever_the_client_sends(tmp_path: Path):
    """Against the app itself: the address stands in its log, also of what is refused before it comes to the app."""
    port = free_port()
    process = Serving(tmp_path, port, TRUSTED_PROXIES="1", CLIENT_ADDRESS_HEADER="client-address")
    wait_until_ready(port, process)
    headers = ("client-address: 203.0.113.7:4711", "client_address: 198.51.100.1")
    exchange(port, request("GET /nowhere HTTP/1.1", *headers))
    exchange(port, request("POST /nowhere HTTP/1.1", *headers, "Content-Length: 9999999", "Expect: 100-continue"))
    exchange(port, request("PUT /nowhere HTTP/1.1", *headers, "Host: two"))
    process.terminate()
    process.wait(20)
    lines = [json.loads(line) for line in process.said.splitlines() if "/nowhere" in line]
    assert [(line["status"], line["address"]) for line in lines] == [
        (404, "203.0.113.7"),
        (413, "203.0.113.7"),
        (400, "203.0.113.7"),
    ]
