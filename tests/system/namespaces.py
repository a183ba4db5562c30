"""Bad links made by the kernel: headquarters and each store in a network namespace of its own, joined by cables whose rate tbf
limits and where nftables drops packets. (Delay and cuts are shaping_proxy.py's: not every kernel has netem.)"""
import ctypes
import dataclasses
import os
import re
import shutil
import subprocess
import tempfile

import bad_links
from bad_links import PLAN, Broken
from chain import COORDINATOR

CLONE_NEWNET = 0x40000000
HEADQUARTERS = "10.211.0.1"
_libc = ctypes.CDLL(None, use_errno=True)


@dataclasses.dataclass
class Trial:
    rate: str
    loss_percent: int
    hidden: int
    rounds: int
    patience: float  # Seconds.
    stores: int = 3
    seed: int = 1


WHOLE = Trial(rate="64kbit", loss_percent=5, hidden=4_000, rounds=2, patience=1800)
PART = Trial(rate="1mbit", loss_percent=5, hidden=1_000, rounds=2, patience=120)


def missing():
    """Why there can be no namespaces here; empty if there can."""
    if os.geteuid() != 0:
        return "making network namespaces wants root"
    for program in ("ip", "tc", "nft"):
        if not shutil.which(program):
            return f"{program} isn't here"
    name = f"aisle-try-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode != 0:
        return "this machine lets nobody make network namespaces"
    try:
        for command in ("ip link set lo up", "tc qdisc add dev lo root tbf rate 1mbit burst 4kb latency 1s", "nft add table inet aisle"):
            if subprocess.run(["ip", "netns", "exec", name, *command.split()], capture_output=True, check=False).returncode != 0:
                return f"'{command}' doesn't work in a network namespace here"
        return ""
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False)


def enter(namespace_path):
    """This thread, and the programs it starts from now on."""
    with open(namespace_path, "rb") as namespace:
        if _libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"can't enter {namespace_path}")


class Network:
    """Namespaces by name; the caller's thread is in headquarters' while this is open."""

    def __init__(self, stores):
        self.stores = stores
        self.names = {name: f"aisle-{os.getpid()}-{name}" for name in (COORDINATOR, *stores)}

    def __enter__(self):
        self.home_fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        for name in self.names.values():
            self._do(f"ip netns add {name}")
            self._do(f"ip -n {name} link set lo up")
        there = self.names[COORDINATOR]
        self._do(f"ip -n {there} address add {HEADQUARTERS}/32 dev lo")
        for number, store in enumerate(self.stores, 1):
            here, cable = self.names[store], f"to-{store}"
            self._do(f"ip link add {cable} netns {there} type veth peer name to-hq netns {here}")
            self._do(f"ip -n {there} address add 10.211.{number}.1/24 dev {cable}")
            self._do(f"ip -n {here} address add 10.211.{number}.2/24 dev to-hq")
            self._do(f"ip -n {there} link set {cable} up")
            self._do(f"ip -n {here} link set to-hq up")
            self._do(f"ip -n {here} route add {HEADQUARTERS}/32 via 10.211.{number}.1")
        enter(f"/run/netns/{there}")
        return self

    def __exit__(self, *_):
        if _libc.setns(self.home_fd, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "can't go home to this process's network")
        os.close(self.home_fd)
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)

    def worsen(self, rate, loss_percent):
        """Of every cable, both ways."""
        there = self.names[COORDINATOR]
        for store in self.stores:
            here = self.names[store]
            for namespace, device in ((there, f"to-{store}"), (here, "to-hq")):
                self._do(f"tc -n {namespace} qdisc add dev {device} root tbf rate {rate} burst 4kb latency 2s")
            rules = "".join(f"chain {way} {{ type filter hook {way} priority 0; {side} to-hq numgen random mod 100 < {loss_percent} "
                            f"counter drop; }}\n" for way, side in (("input", "iifname"), ("output", "oifname")))
            subprocess.run(["ip", "netns", "exec", here, "nft", "-f", "-"], input=f"table inet loss {{\n{rules}}}\n", text=True, check=True)

    def dropped(self):
        """Packets that the rules have dropped."""
        listed = "".join(subprocess.run(["ip", "netns", "exec", self.names[store], "nft", "list", "table", "inet", "loss"],
                                        capture_output=True, text=True, check=True).stdout for store in self.stores)
        return sum(map(int, re.findall(r"counter packets (\d+)", listed)))

    @staticmethod
    def _do(command):
        done = subprocess.run(command.split(), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise OSError(f"{command}: {done.stderr.strip()}")


class SpreadChain(bad_links.LinkedChain):
    """Each program in its own namespace; no proxies."""

    def __init__(self, folder, bin_folder, trial, network):
        super().__init__(folder, bin_folder, trial, bad_links.Line())
        self.network, self.proxies = network, {}
        names = [word for name in (HEADQUARTERS, "127.0.0.1") for word in ("--server-name", name)]
        self.aisle.init = lambda name: self.aisle.json("init", self.aisle.chain, "--chain", name, "--listen", f"0.0.0.0:{self.port}", *names)

    def prepare(self, policies=()):
        super().prepare(policies)
        for store in self.stores:
            config = self.commands[store][-1]
            with open(config, encoding="utf-8") as file:
                text = file.read()
            with open(config, "w", encoding="utf-8") as file:
                file.write(f'coordinator = "{HEADQUARTERS}:{self.port}"\n{text}')
            self.commands[store] = ["ip", "netns", "exec", self.network.names[store], *self.commands[store]]


def run(bin_folder, trial, tell=print):
    """Raises Broken where a bad link broke something."""
    folder = tempfile.mkdtemp(prefix="aisle-namespaces-")
    model, _, _ = bad_links.good_links(os.path.join(folder, "good"), bin_folder, trial)
    with Network([f"s{number}" for number in range(1, trial.stores + 1)]) as network:
        chain = SpreadChain(os.path.join(folder, "bad"), bin_folder, trial, network)
        try:
            chain.start_all(trial.stores)
            network.worsen(trial.rate, trial.loss_percent)
            chain.run_job(trial.patience)
            tell(f"{trial.rounds} rounds at {trial.rate}, {network.dropped()} packets dropped")
            if chain.aborted():
                raise Broken(f"rounds aborted: {chain.aborted()}")
            if chain.model(PLAN) != model:
                raise Broken("the model isn't the one of good links")
            if network.dropped() == 0:
                raise Broken("no packet was dropped, so that nothing was tried")
        finally:
            chain.stop()
    shutil.rmtree(folder, ignore_errors=True)
