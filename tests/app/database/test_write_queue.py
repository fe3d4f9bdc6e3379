"""A fair queue with an end."""

import threading
import time

import pytest

from app.database.write_queue import TooLong, Turns


def in_line(turns: Turns, name: str, served: list[str], seconds: float = 10) -> threading.Thread:
    def wait() -> None:
        try:
            with turns.turn(seconds):
                served.append(name)
        except TooLong:
            served.append(f"{name} gave up")

    waiting = len(turns._waiting)
    thread = threading.Thread(target=wait)
    thread.start()
    while len(turns._waiting) == waiting and thread.is_alive():
        time.sleep(0.001)
    return thread


def test_first_come_first_served():
    turns, served = Turns(10), []
    with turns.turn(1):
        threads = [in_line(turns, name, served) for name in "abcdef"]
    for thread in threads:
        thread.join()
    assert served == list("abcdef")


def test_a_full_queue_refuses_at_once():
    turns, served = Turns(1), []
    with turns.turn(1):
        thread = in_line(turns, "a", served)
        with pytest.raises(TooLong), turns.turn(60):
            pass
    thread.join()
    assert served == ["a"]


def test_who_gives_up_is_passed_over():
    turns, served = Turns(10), []
    with turns.turn(1):
        impatient = in_line(turns, "a", served, 0.01)
        patient = in_line(turns, "b", served)
        impatient.join()
    patient.join()
    assert served == ["a gave up", "b"]
    with turns.turn(0):
        pass
