"""A small chain of real processes, with real TLS and RocksDB, whose model comes out bit-identical however often it is trained:
the plan of the folder tide, which draws nothing by chance, and every store in every round."""
import hashlib
import math
import os
import random
import shutil
import signal
import sys
import time
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "cli", "demo"))
import processes  # noqa: E402
import programs  # noqa: E402
import settings  # noqa: E402

HOURS = 60
SMALL, LARGE = "tide-small", "tide-large"  # The second's updates are files of their own at headquarters.
HIDDEN = {SMALL: 12, LARGE: 4000}
STEPS = {SMALL: 200, LARGE: 60}
COORDINATOR = "coordinator"

SITE_POLICY = """\
[privacy]
units = ["none"]
"""

TABLES = """\
[tide]
time = "hour"
[tide.columns]
hour = {type = "int64", unit = "hour", range = [0, 1000]}
wind = {type = "double", unit = "1", range = [-1, 1]}
moon = {type = "double", unit = "1", range = [-1, 1]}
rain = {type = "double", unit = "1", range = [-1, 1]}
warmth = {type = "double", unit = "1", range = [-1, 1]}
level = {type = "double", unit = "1", range = [-1, 1]}
"""

# Pauses are those of people who wait; certificates are renewed within a long trial.
CHAIN_SETTINGS = """
[rounds]
reopen_min = "100ms"
reopen_max = "1s"
aborts_in_a_row_max = 100000

[enrolment]
certificate_lifetime = "5m"
"""

# Every training is kept on the way, however short.
AGENT_SETTINGS = """
checkpoint_every = "20ms"
"""


def write_rows(path, number):
    luck = random.Random(number)
    with open(path, "w", encoding="utf-8") as file:
        file.write("hour,wind,moon,rain,warmth,level\n")
        for hour in range(HOURS):
            wind, moon, rain = (round(luck.uniform(-1, 1), 4) for _ in range(3))
            warmth = round(math.sin(hour / 9 + number), 4)
            level = round(math.tanh(wind * moon - rain / 2 + warmth / 3), 4)
            file.write(f"{hour},{wind},{moon},{rain},{warmth},{level}\n")


def plan_name(size, seed):
    return size if seed == 1 else f"{size}-{seed}"


def write_plan(folder, size, seed, stores):
    shutil.copytree(os.path.join(ROOT, "tests", "system", "tide"), folder)
    path = os.path.join(folder, "plan.toml")
    with open(path, encoding="utf-8") as file:
        text = file.read().format(name=plan_name(size, seed), seed=seed, stores=stores, hidden=HIDDEN[size], steps=STEPS[size])
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


class Chain:
    """Programs that can be killed and started again, each with what it needs to be itself: its folder, its ports, its settings."""

    def __init__(self, folder, bin_folder, stores):
        self.folder = folder
        self.bin = bin_folder
        self.stores = [f"s{number}" for number in range(1, stores + 1)]
        self.processes = processes.Processes(os.path.join(folder, "logs"))
        self.port = processes.free_port()
        self.http_ports = {name: processes.free_port() for name in (COORDINATOR, *self.stores)}
        self.aisle = programs.Aisle(bin_folder, self.box(COORDINATOR), f"127.0.0.1:{self.port}")
        self.commands = {}
        self.environments = {}  # Name -> further variables of its environment, whenever it starts.
        self.tables = os.path.join(folder, "tables.toml")

    def box(self, name):
        """The folder of everything that this machine would keep."""
        return os.path.join(self.folder, "headquarters", "chain") if name == COORDINATOR else os.path.join(self.folder, name)

    # Setting up.

    def prepare(self, seeds=(1,)):
        """Everything but the processes; a plan of each size for each seed of first weights."""
        with open(self.tables, "w", encoding="utf-8") as file:
            file.write(TABLES)
        self.aisle.init("kills")
        config = settings.coordinator(self.aisle.chain, self.http_ports[COORDINATOR])
        with open(config, "a", encoding="utf-8") as file:
            file.write(CHAIN_SETTINGS)
        self.commands[COORDINATOR] = [self.aisle.program("aisle-coordinator"), "--config", config]
        for number, store in enumerate(self.stores, 1):
            box = self.box(store)
            os.makedirs(box, exist_ok=True)
            config = settings.agent(box, self.tables, self.bin, self.http_ports[store], SITE_POLICY)
            with open(config, "a", encoding="utf-8") as file:
                file.write(AGENT_SETTINGS)
            self.commands[store] = [self.aisle.program("aisle-agent"), "--config", config]
            os.makedirs(settings.inbox(box, "tide"))
            write_rows(os.path.join(settings.inbox(box, "tide"), "tide.csv"), number)
        self.plans = {}
        for size in (SMALL, LARGE):
            for seed in seeds:
                name = plan_name(size, seed)
                folder = os.path.join(self.folder, name)
                write_plan(folder, size, seed, len(self.stores))
                self.plans[name] = os.path.join(self.folder, f"{name}.plan")
                self.aisle.build_plan(folder, self.plans[name])

    def invite(self, store):
        path = os.path.join(self.box(store), "enrol.toml")
        if os.path.exists(path):
            os.remove(path)
        self.aisle.add_store(store, path)

    def has_joined(self, store):
        """Enrolled, and its rows are in."""
        done = os.path.join(self.box(store), "drop", "done", "tide", "tide.csv")
        refused = os.path.join(self.box(store), "drop", "refused", "tide", "tide.csv")
        if os.path.exists(refused):
            raise processes.DemoError(f"{store} refused its rows: see {refused}.report.json")
        return os.path.exists(done) and os.path.exists(os.path.join(self.box(store), "data", "identity", "identity.pem"))

    def start_undisturbed(self, seeds=(1,)):
        self.prepare(seeds)
        self.start_everything()

    def start_everything(self):
        """The coordinator, then every store, until all have joined."""
        self.start(COORDINATOR)
        self.wait_for("the coordinator to answer", lambda: self.is_back(COORDINATOR))
        for store in self.stores:
            self.invite(store)
            self.start(store)
        self.wait_for("every store to join", lambda: all(map(self.has_joined, self.stores)))

    # One program.

    def start(self, name, die_at=None):
        variables = dict(self.environments.get(name, {}))
        if die_at:
            variables["AISLE_DIE_AT"] = die_at
        self.processes.start(name, self.commands[name], variables)
        self.processes.running[name].log_begin = os.path.getsize(self.processes.log_path(name))
        self.processes.running[name].began = time.monotonic()

    def kill(self, name):
        process = self.processes.running[name]
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    def workers_of(self, store):
        return processes._children().get(self.processes.running[store].pid, ())

    def said(self, name, since=None):
        """What the program logged since its latest start, or since that byte of its log."""
        begin = self.processes.running[name].log_begin if since is None else since
        with open(self.processes.log_path(name), "rb") as log:
            log.seek(begin)
            return log.read().decode(errors="replace")

    def is_back(self, name):
        """Whether the program does its work again: the coordinator takes calls, an agent has read all it kept and asks for work."""
        if name != COORDINATOR:
            return "headquarters is" in self.said(name)
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http_ports[name]}/readyz", timeout=1) as answer:
                return answer.status == 200
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def wait_for(self, what, ready, patience=60.0):
        give_up_at = time.monotonic() + patience
        while not ready():
            self.processes.check()
            if time.monotonic() > give_up_at:
                raise processes.DemoError(f"waited {patience:.0f} s for {what}")
            time.sleep(0.05)

    # Jobs.

    def submit(self, plan, job, rounds):
        self.aisle.submit(self.plans[plan], job, rounds, len(self.stores))

    def watch(self, job):
        with open(self.processes.log_path("watch"), "a", encoding="utf-8") as log:
            return self.aisle.watch(job, log)

    def model(self, job):
        """The digest of the latest model's weights."""
        path = os.path.join(self.folder, f"{job}.weights")
        self.aisle.fetch_model(job, path)
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()

    def stop(self):
        self.processes.stop()


def undisturbed_models(folder, bin_folder, stores, rounds, seeds):
    """{plan: digest of its final model}, from a chain that nobody disturbs."""
    chain = Chain(folder, bin_folder, stores)
    try:
        chain.start_undisturbed(seeds)
        for plan in chain.plans:
            chain.submit(plan, plan, rounds)
            watch = chain.watch(plan)
            try:
                watch.communicate(timeout=120)
            finally:
                processes.kill_group(watch)
        return {plan: chain.model(plan) for plan in chain.plans}
    finally:
        chain.stop()
