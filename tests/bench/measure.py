"""What a command costs: wall time, processor time, memory."""

import os
import subprocess
import threading
import time
from pathlib import Path

LOOK_EVERY_S = 0.01


class Cost:
    def __init__(self, wall, cpu, memory):
        self.wall, self.cpu, self.memory = wall, cpu, memory


def measure(title, command, variables, scratch):
    """Wall seconds, CPU seconds of the command and all that it started, and MiB: the sum of the largest resident sets of its processes.

    The kernel's own account of the largest resident set begins with that of the process which started the command, this one, so that the
    processes are looked at instead.
    """
    with open(Path(scratch) / "output", "w+b") as output:
        begun = time.monotonic()
        process = subprocess.Popen(
            [str(part) for part in command], env={**os.environ, **variables}, stdout=output, stderr=output
        )
        memory = Memory(process.pid)
        memory.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        memory.join()
        if process.returncode != 0:
            output.seek(0)
            print(output.read().decode(errors="replace")[-2_000:])
            raise SystemExit(f"tests/bench: `{title}` ended with {process.returncode}; its last lines stand above")
    return Cost(wall, usage.ru_utime + usage.ru_stime, sum(memory.peaks.values()) / 1024)


class Memory(threading.Thread):
    """Looks at a process and its children until it has ended."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peaks = pid, {}

    def run(self):
        while self.look(self.pid):
            time.sleep(LOOK_EVERY_S)

    def look(self, pid):
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:
            return False
        peak = next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), None)
        if peak is None:
            return False
        self.peaks[pid] = peak
        for child in children:
            self.look(int(child))
        return True
