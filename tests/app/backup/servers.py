"""Stores as the clouds have them, on 127.0.0.1: moto for S3 and for Google, azurite for Azure, and a folder."""

import hmac
import http.client
import json
import shutil
import socket
import subprocess
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from email.utils import formatdate
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.ports import free_port

SOMEBODY = "AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
AZURITE = (
    "devstoreaccount1",
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
)
"""The account that azurite has, with the key that its manual says."""


@contextmanager
def moto() -> Iterator[str]:
    """S3, and Google's XML interface, nearly the same but for the header of an upload that may not replace."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    s3 = DomainDispatcherApplication(create_backend_app)

    def google_too(environ, start_response):
        if environ.get("HTTP_X_GOOG_IF_GENERATION_MATCH") == "0":
            environ["HTTP_IF_NONE_MATCH"] = "*"
        if "AWS4" not in environ.get("HTTP_AUTHORIZATION", ""):
            environ["HTTP_AUTHORIZATION"] = SOMEBODY
        return s3(environ, start_response)

    class Quiet(WSGIRequestHandler):
        def log(self, type: str, message: str, *given: object) -> None:
            """Says nothing."""

    server = make_server("127.0.0.1", 0, google_too, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with closing(http.client.HTTPConnection("127.0.0.1", server.port)) as connection:
        connection.request("PUT", "/tasks", headers={"Host": "s3.amazonaws.com"})
        assert connection.getresponse().status == 200
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    server.server_close()


@contextmanager
def azurite(folder: Path) -> Iterator[str]:
    program = shutil.which("azurite-blob")
    if program is None:
        pytest.skip("there is no `azurite-blob`: npm install --global azurite")
    port = free_port()
    command = [program, "--silent", "--skipApiVersionCheck", "--disableTelemetry", "--blobHost", "127.0.0.1"]
    command += ["--blobPort", str(port), "--location", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}/{AZURITE[0]}"
    finally:
        server.terminate()
        server.wait()


def _wait_for(port: int) -> None:
    for _ in range(300):
        with suppress(OSError), closing(socket.create_connection(("127.0.0.1", port), 1)):
            return
        time.sleep(0.1)
    raise AssertionError("the server does not answer")


def environment_of(kind: str, address: str) -> dict[str, str]:
    """What an operator puts into .env for it."""
    if kind == "s3":
        keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "hush", "AWS_REGION": "us-east-1"}
        return {**keys, "AWS_ENDPOINT_URL": address, "AWS_ALLOW_HTTP": "true"}
    if kind == "gs":
        key = {
            "gcs_base_url": address,
            "disable_oauth": True,
            "client_email": "",
            "private_key": "",
            "private_key_id": "",
        }
        return {"GOOGLE_SERVICE_ACCOUNT_KEY": json.dumps(key), "GOOGLE_ALLOW_HTTP": "true"}
    account, key = AZURITE
    return {
        "AZURE_STORAGE_ACCOUNT_NAME": account,
        "AZURE_STORAGE_ACCOUNT_KEY": key,
        "AZURE_STORAGE_ENDPOINT": address,
        "AZURE_ALLOW_HTTP": "true",
    }


def make_container(address: str) -> None:
    """A container is made by the stacks, never by the app, so obstore can't.

    https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
    """
    account, key = AZURITE
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
    signed = "\n".join(["PUT", *[""] * 11, *(f"{name}:{value}" for name, value in headers.items())])
    signed += f"\n/{account}/{account}/tasks\nrestype:container"
    mac = b64encode(hmac.digest(b64decode(key), signed.encode(), "sha256")).decode()
    with closing(http.client.HTTPConnection(urlsplit(address).netloc)) as connection:
        connection.request(
            "PUT",
            f"/{account}/tasks?restype=container",
            headers={**headers, "Authorization": f"SharedKey {account}:{mac}", "Content-Length": "0"},
        )
        assert connection.getresponse().status == 201


class Cut:
    """A way to the server that breaks: from the request with number `after` on nothing gets through any more.

    `lose`: so many PUTs reach the server, and their answers do not come back.
    """

    def __init__(self, address: str) -> None:
        _, _, rest = address.partition("://")
        host, _, self._path = rest.partition("/")
        self._to = (host.partition(":")[0], int(host.partition(":")[2]))
        self.seen, self.after, self.lose = 0, 1 << 30, 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}/{self._path}".rstrip("/")

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        lost = threading.Event()
        with suppress(OSError), closing(client), closing(socket.create_connection(self._to)) as server:
            threading.Thread(target=_pour, args=(server, client, lost), daemon=True).start()
            while data := client.recv(1 << 16):
                if data.split(b" ", 1)[0] in (b"GET", b"PUT", b"POST", b"DELETE", b"HEAD"):
                    self.seen += 1
                if self.seen > self.after:
                    return
                if self.lose and data.startswith(b"PUT"):
                    self.lose -= 1
                    lost.set()
                server.sendall(data)


def _pour(source: socket.socket, target: socket.socket, lost: threading.Event) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            if lost.is_set():
                target.shutdown(socket.SHUT_RDWR)
                break
            target.sendall(data)
