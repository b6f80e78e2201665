"""The workers of a kernel: none of them works any more when a call has ended, however it ends."""

import os
import signal
import threading

import pytest

from treino.engine.kernels.workers import Workers

pytestmark = pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs POSIX signals")
SIGNALS = 3


@pytest.mark.parametrize("threads", [1, 2])
def test_any_number_of_ctrl_c_waits_for_the_workers(threads):
    signalled, ended = threading.Semaphore(0), []

    def ask(_number, _frame):
        signalled.release()
        raise KeyboardInterrupt

    def job():
        for _signal in range(SIGNALS):  # one after the other, each handled before the next
            os.kill(os.getpid(), signal.SIGINT)
            assert signalled.acquire(timeout=60)
        assert stops
        ended.append(True)

    stops = []
    before = signal.signal(signal.SIGINT, ask)
    try:
        with pytest.raises(KeyboardInterrupt):
            Workers(threads).run([job], lambda: stops.append(True), caller=False)
        assert ended == [True]
        with pytest.raises(KeyboardInterrupt):  # the handler is as it was
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_handler_that_does_not_raise_ends_nothing():
    done, asked = [], []
    before = signal.signal(signal.SIGINT, lambda *_: asked.append(True))
    try:
        jobs = [lambda: os.kill(os.getpid(), signal.SIGINT), *[lambda: done.append(True)] * 5]
        Workers(2).run(jobs, lambda: pytest.fail("stopped"), caller=True)
        assert (len(done), asked) == (5, [True])
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("caller", [True, False])
def test_a_job_that_fails_ends_the_others_and_is_raised_when_they_have_ended(caller):
    stopped, ended = threading.Event(), []

    def fails():
        raise IndexError("this one")

    def waits():
        assert stopped.wait(60)
        ended.append(True)

    with pytest.raises(IndexError, match="this one"):
        Workers(2).run([waits, fails, waits], stopped.set, caller=caller)
    assert ended == [True]
