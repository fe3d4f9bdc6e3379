"""From sessions bound to a number to ones with a random key of their account; API tokens may have an end."""

import re
from contextlib import nullcontext
from pathlib import Path

import pytest
from sqlalchemy import text

from app import create_app
from app.backup.copies.snapshot import snapshot
from app.backup.copies.upgrade import upgrade
from app.backup.copies.verify import verify
from app.backup.restoring.restore import restore
from app.database import migrations
from app.database.engine import Database
from app.domain import accounts, tokens
from app.domain.passwords import hashed
from app.domain.schemas import NewAccount
from app.errors import CannotStart
from app.settings import load
from app.storage.mounts import storage_under
from tests.app.conftest import PASSWORD
from tests.app.older_code import database_of_schema

TIME = "2026-11-01 12:00:00.000000"
EMAILS = ("ann@example.com", "bob@example.com")


@pytest.fixture
def old(tmp_path: Path):
    """A database of the version before: two accounts, the second with a token of the text "ta_old"."""
    database = database_of_schema(storage_under(tmp_path / "a.db"), "0002", tmp_path / "old")
    kept = hashed(NewAccount.model_validate({"email": EMAILS[0], "password": PASSWORD}).password)
    with database.write() as session:
        for email in EMAILS:
            session.execute(
                text(
                    "INSERT INTO users (email, password_hash, role, session_number, created_at)"
                    " VALUES (:email, :hash, 'admin', 3, :time)"
                ),
                {"email": email, "hash": kept, "time": TIME},
            )
        session.execute(
            text(
                "INSERT INTO api_tokens (user_id, name, token_sha256, scope, created_at)"
                " VALUES (2, 'nightly', :sha256, 'write', :time)"
            ),
            {"sha256": tokens._sha256("ta_old"), "time": TIME},
        )
    yield database
    database.close()


def test_accounts_and_tokens_stay_and_each_account_has_a_key_of_its_own(old: Database):
    upgrade(old)
    with old.read() as session:
        ann, bob = accounts.list_accounts(session)
        (token,) = tokens.list_tokens(session, bob.id)
    assert (ann.id, ann.email, bob.id, bob.email) == (1, EMAILS[0], 2, EMAILS[1])
    assert all(re.fullmatch("[0-9a-f]{32}", each.session_key) for each in (ann, bob))
    assert ann.session_key != bob.session_key
    assert (token.name, token.expires_at, token.last_used_on) == ("nightly", None, None)


def test_a_backup_of_the_version_before_is_restored_and_its_password_and_token_work(old: Database, tmp_path: Path):
    snapshot(old.storage, tmp_path / "backup.db", held=nullcontext(old))
    restore(tmp_path / "backup.db", storage_under(tmp_path / "new.db"))
    app = create_app(load({"DATABASE_PATH": str(tmp_path / "new.db")}))
    try:
        client = app.test_client()
        headers = {"Authorization": "Bearer ta_old"}
        assert client.post("/api/v1/work-items", json={"title": "by token"}, headers=headers).status_code == 201
        assert client.post("/sign-in", data={"email": EMAILS[0], "password": PASSWORD}).location == "/"
        assert client.get("/account").status_code == 200
    finally:
        app.instance.stop()


def test_the_version_before_refuses_it_and_its_copy_is_that_versions(old: Database, tmp_path: Path, monkeypatch):
    newest = migrations.known_revisions()[-1]
    upgrade(old)
    (copy,) = old.storage.path.parent.glob("a-before-upgrade-to-*.db")
    assert verify(copy).contents.revision == "0002"
    monkeypatch.setattr(migrations, "FOLDER", tmp_path / "old")
    with pytest.raises(CannotStart, match=f"has schema {newest}; this version of Task Assist knows up to 0002"):
        upgrade(old)
