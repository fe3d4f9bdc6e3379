"""Bad inputs to every form, from somebody signed in as admin, as member, and not at all.

Nothing is answered 500, and nothing is kept that runs in the browser of who looks at it later.
usage: python3 -m tests.app.web.bad_inputs [inputs a form and person, 250]
"""

import random
import re
import sys
import tempfile
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, urlencode

from argon2 import PasswordHasher
from flask.testing import FlaskClient
from pydantic import SecretStr

from app import create_app, logs
from app.domain import accounts, passwords
from app.domain.models import User
from app.settings import load
from app.web import throttle
from app.web.security import HEADERS

EVERY = 250
PASSWORD = "a long enough password"
PERSONS = {"stranger": None, "member": "bob@example.com", "admin": "ann@example.com"}
SESSION_ENDS = ("/sign-out", "/sign-in", "/setup", "/account", "/accounts")
"""How the paths begin of forms that may sign out who sends them, or change who that is."""
GOOD = {
    "title": ["Buy milk"],
    "notes": ["a\nb"],
    "status": ["open", "done", "archived"],
    "priority": ["high", "normal", "low"],
    "due": ["", "2026-12-24"],
    "direction": ["up", "down"],
    "done": ["true", "false"],
    "role": ["admin", "member"],
    "scope": ["read", "write", "admin"],
    "expires_in_days": ["", "1", "90"],
    "email": [*filter(None, PERSONS.values()), "new@example.com"],
    "password": [PASSWORD],
    "current": [PASSWORD],
    "name": ["laptop"],
    "code": ["AAAA-AAAA"],
    "restore": ["1"],
    "seen": ["title:0"],
    "back": ["/", "/work-items/1?q=a"],
    "next": ["/"],
    "to": ["/work-items/1"],
    "q": ["milk"],
}
RUNS = (
    "<script>marked=1</script>",
    "<img src=x onerror=marked>",
    '"><svg onload=marked>',
    "' autofocus onfocus='marked",
    '" onmouseover="marked',
    "</textarea><iframe srcdoc='<b marked>'>",
    "javascript:marked",
    "data:text/html,<script>marked</script>",
    "<a href=javascript:marked>x</a>",
    "<style>@import 'marked'</style>",
    "{{ 7919 * 7907 }}{% raw %}",
    "<!--",
    "]]>",
    "&lt;script&gt;",
    "<form action=//evil.example><button>x",
    "<base href=//evil.example>",
    "<b hx-get=//evil.example hx-trigger=load marked>",
)
ODD = (
    "",
    " ",
    "\0",
    "a\0b",
    "\x1b[2J",
    "\r\nSet-Cookie: a=b",
    "\ud800",
    "\ufffe",
    "\u202e",
    "٣",
    "é" * 300,
    "x" * 30_000,
    "9" * 5000,
    "-1",
    "0",
    "1e9",
    "NaN",
    "true",
    "null",
    "[]",
    "{}",
    "' OR 1=1 --",
    "1; DROP TABLE users",
    "%s%n%x",
    "../../etc/passwd",
    "//evil.example",
    "/\\evil.example",
    "https://evil.example",
    "0000-00-00",
    "9999-12-31",
    "a@b",
    "a@b\n",
    "@",
    "*",
    '"',
    "AND OR NOT NEAR(",
)
COMPUTED = str(7919 * 7907)
"""What a template would show that takes an input for a part of itself."""
IDS = (0, 1, 2, 3, 2**31, 2**63 - 1, 2**63, 10**30)
TYPES = (
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=utf-7",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "application/json",
    "text/plain",
    "",
)


class NothingRuns(HTMLParser):
    """Raises AssertionError for a tag or attribute that a browser would run, and the templates do not have, and for
    what was computed here."""

    def feed(self, data: str) -> None:
        assert COMPUTED not in data, data
        super().feed(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        assert tag not in ("iframe", "base", "svg", "object", "embed", "style") or "class" in given, (tag, given)
        assert tag != "script" or given.get("src", "").startswith("/static/"), given
        assert "marked" not in given and not any(name.startswith("on") for name in given), (tag, given)
        for name in ("href", "src", "action", "formaction", "hx-get", "hx-post"):
            assert re.match(r"(/(?![/\\])|#|\?|$|data:image/)", given.get(name, "")), (tag, name, given[name])


class Attacks:
    """The app, and who sends what to it; the same for the same seed."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.app = create_app(
            load({"DATABASE_PATH": str(folder / "a.db"), "ADMIN_EMAIL": "ann@example.com", "ADMIN_PASSWORD": PASSWORD,
                  "LOG_LEVEL": "error"})
        )  # fmt: skip
        self.random = random.Random(seed)
        self.statuses: Counter[int] = Counter()
        self._hash = passwords.hashed(SecretStr(PASSWORD))
        admin = self.client("admin")
        for _ in range(3):
            item = admin.post("/api/v1/work-items", json={"title": "one"}).get_json()["id"]
            admin.post(f"/api/v1/work-items/{item}/tasks", json={"title": "task"})

    def forms(self) -> list[str]:
        """The path of each, with a {} in the place of an id."""
        rules = [rule for rule in self.app.url_map.iter_rules() if "POST" in (rule.methods or ())]
        return sorted(re.sub("<[^>]*>", "{}", rule.rule) for rule in rules if not rule.rule.startswith("/api/"))

    def send(self, person: str, form: str, number: int) -> None:
        client = self.client(person)
        for _ in range(number):
            if person != "stranger" and form.startswith(SESSION_ENDS):
                client = self.client(person)
            path, body, kind = self._path(form), self._body(), self._kind()
            answer = client.post(path, data=body, content_type=kind)
            self.statuses[answer.status_code] += 1
            assert answer.status_code < 500, (person, path, kind, body[:500], answer.status_code)
            assert all(answer.headers[name] == value for name, value in HEADERS.items()), (path, answer.headers)
            assert "evil.example" not in answer.headers.get("Location", "").split("?")[0], (path, body[:500])
            if answer.mimetype == "text/html":
                NothingRuns().feed(answer.text)

    def client(self, person: str) -> FlaskClient:
        """Signed in, whatever has become of the account meanwhile."""
        client, email = self.app.test_client(), PERSONS[person]
        if email:
            self._account(email, person)
            signed_in = client.post("/sign-in", data={"email": email, "password": PASSWORD})
            assert signed_in.status_code == 303, signed_in.text
        return client

    def look(self) -> None:
        """At every page that shows what was kept."""
        client = self.client("admin")
        for path in (
            "/",
            "/?status=all",
            "/trash",
            "/account",
            "/accounts",
            *(f"/work-items/{n}" for n in range(1, 30)),
        ):
            NothingRuns().feed(client.get(path).text)

    def _account(self, email: str, role: str) -> None:
        with self.app.instance.database.write() as session:
            account = accounts.find_account(session, email)
            if account is None:
                account = User(email=email)
                session.add(account)
            account.password_hash, account.role = self._hash, role

    def _path(self, form: str) -> str:
        known = self.random.random() < 0.7
        return form.format(*(self.random.choice(IDS[1:4] if known else IDS) for _ in range(form.count("{}"))))

    def _body(self) -> bytes:
        if self.random.random() < 0.03:
            return self.random.randbytes(self.random.randint(0, 200))
        names = [
            *self.random.sample(sorted(GOOD), self.random.randint(0, 12)),
            *self.random.choices(("x", "", "id", "[]")),
        ]
        pairs = [(name, self._value(name)) for name in names]
        if self.random.random() < 0.1:
            pairs += pairs[:2]
        encoded = urlencode(pairs, quote_via=quote, errors="surrogatepass")
        return (encoded if self.random.random() < 0.95 else encoded.replace("%", "%%")).encode()

    def _value(self, name: str) -> str:
        if self.random.random() < 0.4:
            return self.random.choice(GOOD.get(name, [""]))
        return self.random.choice(RUNS if self.random.random() < 0.5 else ODD)

    def _kind(self) -> str:
        return TYPES[0] if self.random.random() < 0.9 else self.random.choice(TYPES)


def attack(folder: Path, number: int) -> Counter[int]:
    """How often each status was answered."""
    attacks = Attacks(folder)
    try:
        for form in attacks.forms():
            for person in PERSONS:
                attacks.send(person, form, number)
            attacks.look()
        return attacks.statuses
    finally:
        attacks.app.instance.stop()


def cheap_and_unlimited() -> dict[str, object]:
    """What is set for it: how long a hash takes, and how often one may try, are held elsewhere."""
    return {
        "app.domain.passwords._HASHER": PasswordHasher(time_cost=1, memory_cost=8, parallelism=1),
        "app.web.throttle.FREE": dict.fromkeys(throttle.FREE, 10**9),
    }


def main() -> None:
    logs.init("error")
    passwords._HASHER, throttle.FREE = cheap_and_unlimited().values()  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as folder:
        statuses = attack(Path(folder), int(sys.argv[1]) if sys.argv[1:] else EVERY)
    print(f"{sum(statuses.values())} inputs, answered {dict(sorted(statuses.items()))}")  # noqa: T201


if __name__ == "__main__":
    main()
