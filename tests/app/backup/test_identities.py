"""Where a platform gives an identity, no key is configured: the store is asked with what the platform answers."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from app.backup.stores.store import store_at

KEYS = {
    "AccessKeyId": "ASIAROLE",
    "SecretAccessKey": "s",
    "Token": "session",
    "Expiration": "2100-01-01T00:00:00Z",
    "Code": "Success",
}
TOKEN = {"access_token": "token-of-role", "token_type": "Bearer", "expires_in": 3600, "expires_on": "4102444800"}
EMPTY = {
    "s3": "<ListBucketResult><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>",
    "az": '<?xml version="1.0"?><EnumerationResults><Blobs/><NextMarker/></EnumerationResults>',
}


@pytest.fixture
def cloud() -> Iterator[tuple[str, list[tuple[str, dict[str, str]]]]]:
    """The metadata and the store of each cloud at one address, and the requests that came there."""
    seen: list[tuple[str, dict[str, str]]] = []

    class Cloud(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            answer = answer_to(self.path).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_PUT = do_GET  # the token of EC2's metadata

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Cloud)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}", seen
    server.shutdown()
    server.server_close()


def answer_to(path: str) -> str:
    if path.startswith("/latest/api/token"):
        return "imds-session"
    if path.rstrip("/").endswith("security-credentials"):
        return "role-of-machine"
    if "security-credentials/role-of-machine" in path or path.startswith("/ecs"):
        return json.dumps(KEYS)
    if "token" in path or path.startswith("/msi"):
        return json.dumps(TOKEN)
    return EMPTY["az" if "comp=list" in path else "s3"]


def environments(at: str) -> dict[str, tuple[str, dict[str, str]]]:
    """What the platform sets in the container, and the address of the store, which here is another one."""
    s3 = {"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": f"http://{at}", "AWS_ALLOW_HTTP": "true"}
    az = {"AZURE_STORAGE_ACCOUNT_NAME": "a", "AZURE_STORAGE_ENDPOINT": f"http://{at}", "AZURE_ALLOW_HTTP": "true"}
    msi = {"IDENTITY_ENDPOINT": f"http://{at}/msi", "IDENTITY_HEADER": "secret-of-app-service"}
    gs = {
        "GCE_METADATA_HOST": at,
        "GCE_METADATA_IP": at,
        "GOOGLE_ALLOW_HTTP": "true",
        "GOOGLE_BASE_URL": f"http://{at}",
    }
    return {
        # On ECS it is a relative one, whose host obstore knows by itself, and which can't be led to this machine.
        "a container of aws": ("s3", {**s3, "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{at}/ecs"}),
        "ec2": ("s3", {**s3, "AWS_METADATA_ENDPOINT": f"http://{at}"}),
        "app service": ("az", {**az, **msi}),
        "compute engine, cloud run": ("gs", gs),
    }


@pytest.mark.parametrize("where", list(environments("")))
def test_the_role_of_the_place_is_enough(where: str, cloud, monkeypatch, tmp_path: Path):
    address, seen = cloud
    scheme, given = environments(address)[where]
    token = tmp_path / "token"
    token.write_text("of the container")
    for name, value in {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(token), **given}.items():
        monkeypatch.setenv(name, value)
    assert store_at(f"{scheme}://tasks/a").entries() == []
    asked = seen[-1][1]["authorization"]
    assert ("ASIAROLE" if scheme == "s3" else "token-of-role") in asked
