"""Starts the demo's programs and stops every one of them again, whatever happens. Also keeps an eye on their memory."""
import ctypes
import os
import random
import signal
import socket
import subprocess
import threading
import time

_PR_SET_PDEATHSIG = 1


class DemoError(RuntimeError):
    """What went wrong, for the person who ran the demo."""


def outgoing_ports():
    """The range from which the system gives ports to outgoing calls."""
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
            low, high = map(int, file.read().split())
        return range(low, high + 1)
    except (OSError, ValueError):
        return range(32768, 61000)


def free_port():
    """A port to listen at, outside the range of outgoing calls: in there, some program's call could take it before it is used."""
    everything = range(10240, 61000)
    outgoing = outgoing_ports()
    quiet = [port for port in everything if port not in outgoing]
    for port in random.sample(quiet if len(quiet) > 100 else everything, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise DemoError("found no port of 127.0.0.1 that is free to listen at, in 100 tries")


def _end_with_parent():
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Processes:
    """Each program in a session of its own, so that Ctrl-C reaches this script alone, which then stops them in order."""

    def __init__(self, log_folder, outlive=False):
        self.log_folder = log_folder
        self.outlive = outlive
        self.running = {}  # Name -> Popen, in the order of their start.
        os.makedirs(log_folder, exist_ok=True)

    def start(self, name, command, env=None):
        with open(self.log_path(name), "ab") as log:
            self.running[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                env={**os.environ, **(env or {})}, preexec_fn=None if self.outlive else _end_with_parent)

    def log_path(self, name):
        return os.path.join(self.log_folder, f"{name}.log")

    def log_tail(self, name, lines=15):
        try:
            with open(self.log_path(name), encoding="utf-8", errors="replace") as log:
                return "".join(log.readlines()[-lines:]).rstrip()
        except OSError:
            return ""

    def check(self):
        """Raises if one of them has ended."""
        for name, process in self.running.items():
            if process.poll() is not None:
                raise DemoError(f"{name} ended with code {process.returncode}. Its last words:\n{self.log_tail(name)}")

    def stop(self, grace=8.0):
        """The last started first; those that don't heed SIGTERM in time are killed with all they started."""
        for process in reversed(self.running.values()):
            signal_group(process, signal.SIGTERM)
        give_up_at = time.monotonic() + grace
        for process in self.running.values():
            try:
                process.wait(max(0.05, give_up_at - time.monotonic()))
            except subprocess.TimeoutExpired:
                pass
            signal_group(process, signal.SIGKILL)
            process.wait()
        self.running.clear()


def signal_group(process, number):
    """The process and all it started; nothing if they are gone."""
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        pass


def kill_group(process):
    """Ends a process and what it started, unless it has ended by itself."""
    if process.poll() is None:
        signal_group(process, signal.SIGKILL)
        process.wait()


def peak_memory(pid):
    """Bytes at the highest (VmHWM); 0 if the process is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def _children():
    """{parent: [child]} of every process here."""
    tree = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as stat:
                    parent = int(stat.read().rsplit(")", 1)[1].split()[1])
                tree.setdefault(parent, []).append(int(entry))
            except (OSError, IndexError, ValueError):
                pass
    return tree


class MemoryWatch:
    """Notes the peaks of each kind of program, and of the agents' short-lived children: the workers."""

    def __init__(self, processes, interval=0.25):
        self.processes, self.interval = processes, interval
        self.peaks = {"coordinator": 0, "agent": 0, "worker": 0}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stop.wait(self.interval):
            self.look()

    def look(self):
        tree = _children()
        for name, process in list(self.processes.running.items()):
            kind = "coordinator" if name == "coordinator" else "agent"
            self._note(kind, process.pid)
            if kind == "agent":
                for child in tree.get(process.pid, ()):
                    self._note("worker", child)

    def _note(self, kind, pid):
        self.peaks[kind] = max(self.peaks[kind], peak_memory(pid))

    def stop(self):
        self._stop.set()
        self._thread.join()
