"""Thousands of bad inputs to every form: no 500, and nothing kept that runs (bad_inputs.py, which also takes more)."""

import pytest

from tests.app.web.bad_inputs import NothingRuns, attack, cheap_and_unlimited


def test_no_input_to_any_form_is_an_error_of_ours_or_runs_later(monkeypatch, tmp_path):
    for name, value in cheap_and_unlimited().items():
        monkeypatch.setattr(name, value)
    statuses = attack(tmp_path, 12)
    assert sum(statuses.values()) >= 12 * 3 * 22
    assert statuses[303] > 80 and statuses[422] > 40, "many get as far as the database, and are saved"


@pytest.mark.parametrize(
    "page",
    [
        "<script>x</script>",
        "<b onclick=x>",
        "<a href=javascript:x>",
        "<a href=//evil.example>",
        "<b marked>",
        "<iframe>",
        "<p>62615533</p>",
    ],
)
def test_it_would_be_seen(page: str):
    with pytest.raises(AssertionError):
        NothingRuns().feed(page)
