"""Waves of faults over a chain that lives on from one to the next: in each, a job runs while programs die at their commit points,
at random instants or with the power, and disks fill up. Each job must finish with the model of the undisturbed chain."""
import collections
import json
import os
import random
import select
import signal
import statistics
import subprocess
import time

import chain as chains
import marks
from chain import COORDINATOR, LARGE, SMALL
from processes import DemoError, kill_group
from programs import ENDED

ROUNDS = 2
PATIENCE = 120.0  # Seconds without any progress after which something is broken; many, for machines that do much else.
JOBS_PER_MARK = 4  # At most, until a mark is passed.
RESUME_AIM = 5.0
DURABILITY_LOST = 4  # The exit code of a program whose disk failed to sync.
LOST_WRITES_MAX = 300  # Of one program while a disk is full, which is 2.5 s at most.
PROGRESS = ("round", "phase", "stores_selected", "stores_trained", "stores_collected")


class Broken(AssertionError):
    """What a fault has broken, and how to see it again."""


class Watch:
    """Follows a job from the outside until it has ended, whatever happens to the coordinator."""

    def __init__(self, chain, job):
        self.chain, self.job = chain, job
        self.progress, self.ended, self.text = None, False, b""
        self.process = chain.watch(job)

    def fd(self):
        if self.process.poll() is not None:  # It found no coordinator to begin with.
            self.close()
            self.process = self.chain.watch(self.job)
        os.set_blocking(self.process.stdout.fileno(), False)
        return self.process.stdout.fileno()

    def read(self):
        try:
            self.text += os.read(self.process.stdout.fileno(), 1 << 20)
        except BlockingIOError:
            return
        *lines, self.text = self.text.split(b"\n")
        for line in lines:
            snapshot = json.loads(line)
            now = snapshot.get("round") or {}
            self.progress = tuple(str(now.get(key)) for key in PROGRESS)
            self.ended = snapshot["job"]["state"] in ENDED

    def close(self):
        kill_group(self.process)
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Trial:
    def __init__(self, folder, bin_folder, stores, seed, tell=print):
        self.folder, self.bin, self.stores, self.seed, self.tell = folder, bin_folder, stores, seed, tell
        self.luck = random.Random(seed)
        self.chain = chains.Chain(os.path.join(folder, "trial"), bin_folder, stores)
        self.faulty = os.path.join(bin_folder, "faulty-disk")
        self.library = os.path.join(os.path.dirname(bin_folder), "lib", "libfaulty_disk.so")
        self.can_cut = os.path.exists(self.faulty) and os.path.exists(self.library)
        self.jobs = 0
        self.aborted = 0
        self.done = collections.Counter()
        self.marks_passed = collections.Counter()
        self.coming_back = {}  # Name -> when it was started.
        self.resumes = {COORDINATOR: [], "agent": []}
        self.standstill = 0.0
        self.armed = {}   # Name -> "mark#passage" at which it is to die next.
        self.queues = {}  # Name -> those that follow.
        self.workers = {}  # Name -> the pids of its workers, of those who are to die at marks of theirs.
        self.cut = ()     # Who loses power by dying: what it never synced is gone.
        self.full = {}    # Name -> until when its disk is full.
        self.failing = set()  # Whose disk is about to fail a sync: they are to end by that.
        self.failed = set()   # Who has ended by that, and may once more: syncs fail in a row.

    # Setting up.

    def begin(self, seeds):
        """`seeds` of first weights, a plan for each: weights that nobody has seen yet for one wave after another."""
        self.seeds = list(seeds)
        self.expected = chains.undisturbed_models(os.path.join(self.folder, "undisturbed"), self.bin, self.stores, ROUNDS, seeds)
        if len(set(self.expected.values())) != len(self.expected):
            raise Broken(f"different plans gave the same model: {self.expected}")
        for name in (COORDINATOR, *self.chain.stores):
            if self.can_cut:
                box = self.chain.box(name)
                os.makedirs(box if name != COORDINATOR else os.path.dirname(box), exist_ok=True)
                self.chain.environments[name] = {
                    "LD_PRELOAD": self.library, "FAULTY_DISK_JOURNAL": self.journal(name),
                    "FAULTY_DISK_FOLDERS": box if name != COORDINATOR else os.path.dirname(box)}
        self.chain.prepare(seeds)

    def journal(self, name):
        return os.path.join(self.folder, "trial", "journals", name)

    def disk(self, command, name, *arguments):
        called = [self.faulty, command, self.journal(name), *map(str, arguments)]
        done = subprocess.run(called, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Broken(f"faulty-disk {command} {name}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout.strip()

    def join(self, killed, cut=()):
        """Every store joins; those named die at each commit point of joining, one after the other, the latter with the power."""
        chain = self.chain
        os.makedirs(os.path.dirname(self.journal("any")), exist_ok=True)
        self.cut = (*cut, COORDINATOR) if cut else ()
        for mark in ("commit.store_record.before", "commit.store_record.after"):
            self.queues[COORDINATOR] = [f"{mark}#1"]
            self.start_next(COORDINATOR) if not chain.processes.running else self.restart(COORDINATOR)
            self.until("the coordinator to answer", lambda: chain.is_back(COORDINATOR))
            try:
                chain.invite(chain.stores[0])
            except DemoError:
                pass  # It died: that is what it was armed for.
            self.until("the coordinator to die", lambda: not self.armed)
        self.until("the coordinator to answer", lambda: chain.is_back(COORDINATOR))
        for store in chain.stores:
            chain.invite(store)
            self.queues[store] = [f"{mark}#1" for mark in marks.JOINING_ORDER] if store in (*killed, *cut) else []
            self.start_next(store)
        self.until("every store to join", lambda: self.all_dead_once() and all(map(chain.has_joined, chain.stores)))

    def all_dead_once(self):
        """Whether every mark that was planned has killed."""
        return not self.armed and not any(self.queues.values())

    def until(self, what, ready):
        give_up_at = time.monotonic() + PATIENCE
        while not ready():
            self.attend(0.02)
            if time.monotonic() > give_up_at:
                raise Broken(f"waited {PATIENCE:.0f} s for {what}; still to die: {self.armed}")

    # Life and death.

    def start_next(self, name):
        """Starts it, to die at the mark it was armed for, or at the next one of its queue."""
        if name not in self.armed and self.queues.get(name):
            self.armed[name] = self.queues[name].pop(0)
        self.chain.start(name, self.armed.get(name))
        self.workers.pop(name, None)
        self.coming_back[name] = time.monotonic()

    def attend(self, patience, watch=None):
        """Waits for a death or a sign of life, at most so long, and sees to all of them."""
        running = self.chain.processes.running
        poll = select.poll()
        sentries = {}
        for name, process in running.items():
            if process.poll() is None:
                try:
                    sentries[os.pidfd_open(process.pid)] = name
                except ProcessLookupError:
                    pass
        if watch:
            poll.register(watch.fd(), select.POLLIN)
        for sentry in sentries:
            poll.register(sentry, select.POLLIN)
        poll.poll(1000 * (min(patience, 0.02) if self.coming_back else patience))
        for sentry in sentries:
            os.close(sentry)
        if watch:
            watch.read()
        for name, process in list(running.items()):
            if process.poll() is not None:
                self.died(name, process.returncode)
        for name, began in list(self.coming_back.items()):
            if self.chain.is_back(name):
                self.resumes[COORDINATOR if name == COORDINATOR else "agent"].append(time.monotonic() - began)
                del self.coming_back[name]

    def died(self, name, code):
        mark = self.armed.pop(name, None)
        self.coming_back.pop(name, None)
        if code == -signal.SIGKILL and mark:
            self.marks_passed[mark.split("#")[0]] += 1
            self.done["cut at a mark" if name in self.cut else "killed at a mark"] += 1
        elif code == DURABILITY_LOST and name in self.failing | self.failed:
            self.done["ended by a failed sync"] += 1
            self.failing.discard(name)
            self.failed.add(name)
        elif name in self.full:  # It may give up on a full disk; whoever started it starts it again.
            self.done["ended by a full disk"] += 1
            if mark:
                self.armed[name] = mark
        else:
            raise Broken(f"{name} ended by itself with code {code}. Its last words:\n{self.chain.processes.log_tail(name)}")
        if name in self.cut:
            self.cut_power(name)
        self.start_next(name)

    def cut_power(self, name):
        self.tell(f"  {name} loses power: {self.disk('cut', name, '--seed', self.luck.getrandbits(32))}")

    def kill_at_random(self):
        """Any program, at whatever it does: the coordinator as often as all agents, and a worker now and then."""
        kind = self.luck.choice((COORDINATOR, COORDINATOR, "agent", "agent", "worker"))
        store = self.luck.choice(self.chain.stores)
        if kind == "worker":
            workers = list(self.chain.workers_of(store))
            for worker in workers:
                try:
                    os.kill(worker, signal.SIGKILL)
                    self.done["worker killed"] += 1
                except ProcessLookupError:
                    pass
            if workers:
                return
        self.restart(COORDINATOR if kind == COORDINATOR else store)

    def restart(self, name):
        """Kills it, at whatever it does, and starts it again."""
        if self.chain.processes.running[name].poll() is None:
            self.chain.kill(name)
            self.done[f"{'coordinator' if name == COORDINATOR else 'agent'} {'cut' if name in self.cut else 'killed'}"] += 1
        self.coming_back.pop(name, None)
        if name in self.cut:
            self.cut_power(name)
        self.start_next(name)

    # Waves.

    def ride(self, queues=None, kills=0, full=(), failing=(), cut=False):
        """One wave: jobs run, one after another, until everything planned has happened. `queues`: the marks at which each program
        dies, one after another; `kills`: deaths at random instants; `full`: whose disks fill up for a while;
        `failing`: who must end by a failed sync. After those no power may be cut: a real disk would have forgotten at once what the
        journal of this one lets its next program still read."""
        self.cut = (COORDINATOR, *self.chain.stores) if cut else ()
        self.kills_left, self.full_left, self.failing_left = kills, list(full), list(failing)
        self.seeds.append(self.seeds.pop(0))
        self.queues = {name: list(queue) for name, queue in (queues or {}).items()}
        for name in self.queues:
            self.restart(name)
        jobs_max = 2 + JOBS_PER_MARK * max([len(queue) + 1 for queue in self.queues.values()] + [kills, len(full), len(failing)])
        for _ in range(jobs_max):
            self.run_job(chains.plan_name((SMALL, LARGE)[self.jobs % 2], self.seeds[-1]))
            if self.all_dead_once() and not (self.kills_left or self.full_left or self.failing_left or self.failing):
                break
        else:
            left = self.armed or self.full_left or self.failing_left or self.failing or self.kills_left
            raise Broken(f"{jobs_max} jobs ended, but this was never reached: {left}")
        for name in self.failed:
            self.disk("fail-syncs", name, "--after", 0, "--count", 0)
        self.failed.clear()

    def run_job(self, plan):
        self.jobs += 1
        job = f"j{self.jobs}"
        self.patiently("submit a job", lambda: self.chain.submit(plan, job, ROUNDS), but="already")
        began = moved = time.monotonic()
        deaths = self.luck.randint(3, 7)  # At random instants; more would leave it no time to come to its later phases.
        next_kill = began + self.luck.expovariate(3)
        next_fill = began + self.luck.uniform(0, 0.8)
        seen = None
        with Watch(self.chain, job) as watch:
            while not watch.ended:
                self.attend(0.2, watch)
                if watch.progress != seen:
                    seen = watch.progress
                    self.standstill = max(self.standstill, time.monotonic() - moved)
                    moved = time.monotonic()
                self.look_for_dead_workers()
                if self.kills_left > 0 and deaths > 0 and time.monotonic() > next_kill:
                    self.kill_at_random()
                    self.kills_left -= 1
                    deaths -= 1
                    next_kill = time.monotonic() + self.luck.expovariate(3)
                if self.full_left and time.monotonic() > next_fill:
                    self.fill(self.full_left.pop())
                    next_fill = time.monotonic() + self.luck.uniform(0.2, 0.8)
                if self.failing_left and not self.failing:
                    self.fail_syncs(self.failing_left.pop())
                self.empty_due()
                if time.monotonic() - moved > PATIENCE or time.monotonic() - began > 5 * PATIENCE:
                    raise Broken(f"job {job} is not over after {time.monotonic() - began:.0f} s; it stands at {seen}, and has "
                                 f"for {time.monotonic() - moved:.0f} s; still to die: {self.armed}")
        self.empty_due(everything=True)
        self.check(job, plan)

    def look_for_dead_workers(self):
        """A worker that died at its mark: its agent starts another without a word. It is told no more marks, or each would die."""
        for name, mark in list(self.armed.items()):
            if mark.split("#")[0] not in self.worker_marks:
                continue
            working = set(self.chain.workers_of(name))
            died = self.workers.get(name, set()) - working
            self.workers[name] = working
            if died and "its worker killed" not in self.chain.said(name):
                self.marks_passed[mark.split("#")[0]] += 1
                self.done["worker killed at a mark"] += 1
                del self.armed[name]
                self.restart(name)

    worker_marks = frozenset(marks.worker_marks())

    def fill(self, name):
        self.disk("fill", name, "--after", self.luck.choice((0, self.luck.randrange(1 << 12), self.luck.randrange(1 << 18))))
        self.full[name] = time.monotonic() + self.luck.uniform(0.5, 2.5)
        self.done["full disk"] += 1

    def fail_syncs(self, name):
        """One of its next few syncs fails, and so may one or two after that, when it has started anew."""
        self.disk("fail-syncs", name, "--after", self.luck.randrange(12), "--count", self.luck.choice((1, 1, 2, 3)))
        self.failing.add(name)

    def empty_due(self, everything=False):
        for name, due in list(self.full.items()):
            if everything or time.monotonic() > due:
                self.disk("empty", name)
                del self.full[name]

    def patiently(self, what, act, but=None):
        """Tries again while the coordinator is dying and coming back. An error that says `but` is a success."""
        give_up_at = time.monotonic() + PATIENCE
        while True:
            try:
                return act()
            except DemoError as error:
                if but and but in str(error):
                    return None
                if time.monotonic() > give_up_at:
                    raise Broken(f"could not {what}: {error}") from error
            self.attend(0.1)

    # Judgement.

    def check(self, job, plan):
        shown = self.patiently("look at the job", lambda: self.chain.aisle.job(job))
        self.aborted += shown.get("rounds_aborted", 0)
        if shown["state"] != "JOB_STATE_FINISHED" or shown["rounds_committed"] != ROUNDS:
            raise Broken(f"{job} is {shown['state']} after {shown['rounds_committed']} of {ROUNDS} rounds: {shown.get('state_reason')}")
        models = self.patiently("list the models", lambda: self.chain.aisle.json("model", "list", job, *self.chain.aisle.connection()))
        versions = [int(model["version"]) for model in models["models"]]
        if versions != list(range(1, ROUNDS + 1)):
            raise Broken(f"{job} published the versions {versions}")
        model = self.patiently("fetch the model", lambda: self.chain.model(job))
        if model != self.expected[plan]:
            raise Broken(f"the model of {job} ({plan}) is {model[:12]}, that of the undisturbed chain {self.expected[plan][:12]}")

    def check_ledgers(self):
        for store in self.chain.stores:
            data = os.path.join(self.chain.box(store), "data")
            verified = subprocess.run([self.chain.aisle.program("aisle"), "ledger", "verify", "--data", data], capture_output=True,
                                      text=True, check=False)
            if verified.returncode != 0:
                raise Broken(f"the ledger of {store}: {verified.stderr.strip()}")

    def check_patience(self):
        """A full disk is met with pauses, not with a processor and a log that run hot until somebody frees space."""
        for name in (COORDINATOR, *self.chain.stores):
            lost = self.chain.said(name, since=0).count("the disk is full")
            if lost > LOST_WRITES_MAX * self.done["full disk"]:
                raise Broken(f"{name} tried {lost} writes on full disks that were full for {self.done['full disk']} moments")

    def report(self):
        faults = ", ".join(f"{count} {what}" for what, count in sorted(self.done.items()))
        lines = [f"{self.jobs} jobs of {ROUNDS} rounds, each with the model of the undisturbed chain, bit for bit; {self.aborted} rounds aborted "
                 "and held again",
                 f"faults: {faults}; {len(self.marks_passed)} different commit points",
                 f"longest time without progress of a job: {self.standstill:.1f} s"]
        for who, times in self.resumes.items():
            if times:
                slow = sum(1 for took in times if took > RESUME_AIM)
                lines.append(f"{who} back at work after {statistics.median(times):.2f} s (median), {max(times):.2f} s at most, of {len(times)}"
                             + (f"; {slow} took over {RESUME_AIM:.0f} s" if slow else ""))
        return "\n".join(lines)

    def show_last_words(self):
        for name in (COORDINATOR, *self.chain.stores):
            self.tell(f"---- {name}\n{self.chain.processes.log_tail(name, 10)}")

    def stop(self):
        self.chain.stop()


# What there is to ride.

def at(luck, mark):
    return f"{mark}#{1 if mark.startswith(marks.RARE) else luck.randint(1, 3)}"


def dealt(luck, found, names):
    """{name: its share of the marks}, in an order by chance; but what only new weights pass comes first."""
    found = luck.sample(found, len(found))
    found.sort(key=lambda mark: not mark.startswith(marks.OF_NEW_WEIGHTS))
    return {name: [at(luck, mark) for mark in found[i::len(names)]] for i, name in enumerate(names)}


def all_marks(luck, stores, cut):
    """Every commit point of rounds once; workers have no disk to lose."""
    agents = marks.agent_marks() + ([] if cut else marks.worker_marks())
    return {**dealt(luck, agents, stores), **dealt(luck, marks.coordinator_marks(), [COORDINATOR])}


def some_marks(luck, stores, cut, of_coordinator, of_each_store):
    every = all_marks(luck, stores, cut)
    return {name: queue[:of_coordinator if name == COORDINATOR else of_each_store] for name, queue in every.items()}
