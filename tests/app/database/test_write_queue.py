"""A fair queue with an end."""

import threading
import time

from app.database.write_queue import QueueTimeout, WriteQueue


def in_line(turns: WriteQueue, name: str, served: list[str], seconds: float = 10) -> threading.Thread:
    def wait() -> None:
        try:
            with turns.turn(seconds):
                served.append(name)
        except QueueTimeout:
            served.append(f"{name} gave up")

    waiting = len(turns._waiting)
    thread = threading.Thread(target=wait)
    thread.start()
    while len(turns._waiting) == waiting and thread.is_alive():
        time.sleep(0.001)
    return thread


def test_first_come_first_served():
    turns, served = WriteQueue(), []
    with turns.turn(1):
        threads = [in_line(turns, name, served) for name in "abcdef"]
    for thread in threads:
        thread.join()
    assert served == list("abcdef")


def test_any_number_may_wait():
    turns, served = WriteQueue(), []
    with turns.turn(1):
        threads = [in_line(turns, str(n), served) for n in range(100)]
    for thread in threads:
        thread.join()
    assert served == [str(n) for n in range(100)]


def test_who_gives_up_is_passed_over():
    turns, served = WriteQueue(), []
    with turns.turn(1):
        impatient = in_line(turns, "a", served, 0.01)
        patient = in_line(turns, "b", served)
        impatient.join(30)
    patient.join()
    assert served == ["a gave up", "b"]
    with turns.turn(0):
        pass
