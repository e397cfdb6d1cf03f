"""CPU time and memory are read as the kernel has them."""

import os
import subprocess
import sys
import time

from benchmarks.kernel import cpu_seconds, memory, waited_seconds


def test_cpu_time_is_that_of_the_process() -> None:
    before = time.process_time()
    read = cpu_seconds(os.getpid())
    assert before <= read <= time.process_time()


def test_cpu_time_keeps_what_ended_threads_used() -> None:
    program = (
        "import threading, time\n"
        "def burn():\n"
        "    while time.thread_time() < 0.05: pass\n"
        "thread = threading.Thread(target=burn); thread.start(); thread.join()\n"
        "print(flush=True); input()\n"
    )
    with subprocess.Popen((sys.executable, "-c", program), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert cpu_seconds(process.pid) >= 0.05
        process.communicate(b"\n")


def test_resident_memory_grows_with_what_is_touched() -> None:
    before = memory(os.getpid())
    held = bytearray(b"\1" * 20_000_000)
    after = memory(os.getpid())
    assert len(held) / 2 < after.rss - before.rss
    assert len(held) / 2 < after.pss - before.pss
    assert after.pss <= after.rss


def test_waiting_for_a_core_never_goes_back() -> None:
    first = waited_seconds(os.getpid())
    assert 0 <= first <= waited_seconds(os.getpid())
