"""The requests' way to the database, where no other process is needed to see it."""

import threading
from types import SimpleNamespace
from typing import Any

from app.database import group_commit
from app.writer.gate import RequestGate


def test_who_waits_for_a_hand_over_has_committed_what_it_would_wait_for(monkeypatch):
    lease: Any = SimpleNamespace(holds=lambda: True)
    gate = RequestGate(lease)
    gate.expect_handover()
    committed: list[bool] = []

    def commit() -> None:
        committed.append(True)
        gate.state, gate.opened = "writer", SimpleNamespace()  # type: ignore[assignment]

    monkeypatch.setattr(group_commit, "commit", commit)
    asked = threading.Thread(target=gate.enter)
    asked.start()
    asked.join(5)
    assert (committed, gate.inside, asked.is_alive()) == ([True], 1, False)
