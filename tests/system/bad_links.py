"""./dev link-trial: a chain of real processes whose stores sit behind bad links: slow, far, stalling, cut again and again, down for a
while. Every job finishes with the model of the chain on good links, bit for bit, no round is lost, and hardly a byte is sent twice."""
import argparse
import dataclasses
import os
import shutil
import signal
import sys
import tempfile
import threading
import time

import chain as chains
from chain import ROOT
from processes import DemoError, kill_group
from programs import ENDED, integer
from shaping_proxy import Line, ShapingProxy

PLAN = "tide-links"
TWICE_MAX = 0.05  # Of what the job needs on a good link.
OUTAGE = 5.0      # Seconds.


class Broken(AssertionError):
    """What a bad link has broken."""


@dataclasses.dataclass
class Trial:
    """One weather for all stores, and how much there is to carry through it."""
    line: Line
    hidden: int  # Units: 24 bytes of weights each, down and up in every round.
    rounds: int
    seed: int
    stores: int = 3


# 64 kbit/s, a round trip of 600 ms, a cut every half minute, a stall of 3 s every minute …
WHOLE = Trial(Line(bytes_per_second=8_000, delay=0.3, cut_every=30, stall_every=60, stall=3), hidden=16_000, rounds=2, seed=1)
# … and the same sixteen times as fast, for CI: as many bytes from one cut to the next.
PART = Trial(Line(bytes_per_second=128_000, delay=0.02, cut_every=1.9, stall_every=4, stall=0.2), hidden=8_000, rounds=2, seed=1)


class LinkedChain(chains.Chain):
    """A chain whose stores reach headquarters through a proxy each."""

    def __init__(self, folder, bin_folder, trial, line):
        super().__init__(folder, bin_folder, trial.stores)
        self.trial = trial
        self.proxies = {store: ShapingProxy(self.port, line, seed=f"{trial.seed} {store}") for store in self.stores}

    def prepare(self, policies=()):
        super().prepare(seeds=())
        for store, proxy in self.proxies.items():
            proxy.__enter__()
            with open(self.commands[store][-1], encoding="utf-8") as file:
                text = file.read()
            with open(self.commands[store][-1], "w", encoding="utf-8") as file:
                file.write(f'coordinator = "127.0.0.1:{proxy.port}"\n{text}')
        for store, policy in dict(policies).items():
            with open(os.path.join(self.box(store), "site-policy.toml"), "w", encoding="utf-8") as file:
                file.write(policy)

    def add_plan(self, cohort):
        """The tide's plan with this trial's size, and deadlines that a slow link can keep."""
        folder = os.path.join(self.folder, PLAN)
        chains.HIDDEN[PLAN], chains.STEPS[PLAN] = self.trial.hidden, 4
        chains.write_plan(folder, PLAN, 1, cohort)
        path = os.path.join(folder, "plan.toml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        head, tail = text.split("[deadlines]")
        rest = tail.split("[limits]")[1]
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'{head}[deadlines]\nselecting = "20m"\ntraining = "20m"\ncollecting = "20m"\nsumming = "20m"\n\n[limits]{rest}')
        self.plans[PLAN] = os.path.join(self.folder, f"{PLAN}.plan")
        self.aisle.build_plan(folder, self.plans[PLAN])

    def start_all(self, cohort, policies=()):
        self.prepare(policies)
        self.add_plan(cohort)
        self.start_everything()

    def run_job(self, patience, cohort=None):
        self.aisle.submit(self.plans[PLAN], PLAN, self.trial.rounds, cohort or len(self.stores))
        watch = self.watch(PLAN)
        try:
            watch.communicate(timeout=patience)
        finally:
            kill_group(watch)
        if self.aisle.job(PLAN)["state"] not in ENDED:
            raise Broken(f"the job didn't end within {patience:.0f} s")

    def aborted(self):
        return [entry for entry in self.aisle.rounds(PLAN) if entry.get("phase") == "ROUND_PHASE_ABORTED"]

    def stop(self):
        super().stop()
        for proxy in self.proxies.values():
            if proxy.port:
                proxy.__exit__()


def ready_chain(folder, bin_folder, trial, policies=(), cohort=None):
    """On good links, every store joined and its rows in: the weather begins with the job."""
    chain = LinkedChain(folder, bin_folder, trial, Line())
    try:
        chain.start_all(cohort or trial.stores, policies)
        return chain
    except BaseException:
        chain.stop()
        raise


def cost_of_a_connection(chain, store):
    """Bytes of a handshake, both certificates, and the check-in that follows it; the agent then waits for its answer."""
    proxy = chain.proxies[store]
    before = len(proxy.connections)
    proxy.go_down()
    proxy.come_back()
    chain.wait_for(f"{store} to connect again", lambda: len(proxy.connections) > before and proxy.connections[-1].up > 1500)
    counts = []

    def settled():
        counts.append(proxy.connections[-1].up + proxy.connections[-1].down)
        return len(counts) > 6 and len(set(counts[-6:])) == 1

    chain.wait_for("the handshake to be over", settled)
    return counts[-1]


def good_links(folder, bin_folder, trial):
    """(Model, bytes delivered during the job, cost of a connection) where nothing disturbs."""
    chain = ready_chain(folder, bin_folder, trial)
    try:
        setup = cost_of_a_connection(chain, chain.stores[0])
        before = sum(proxy.delivered for proxy in chain.proxies.values())
        chain.run_job(patience=120)
        delivered = sum(proxy.delivered for proxy in chain.proxies.values()) - before
        return chain.model(PLAN), delivered, setup
    finally:
        chain.stop()


def outage(chain, store, rounds_before):
    """The store's link is down for a while once so many rounds are committed."""
    def committed():
        try:
            return sum(entry.get("phase") == "ROUND_PHASE_COMMITTED" for entry in chain.aisle.rounds(PLAN))
        except DemoError:
            return 0  # The job isn't there yet.

    while committed() < rounds_before:
        time.sleep(0.1)
    chain.proxies[store].go_down()
    time.sleep(OUTAGE)
    chain.proxies[store].come_back()


def bad_links(folder, bin_folder, trial, patience):
    """(Model, bytes delivered during the job, connections made during it, aborted rounds) in the trial's weather."""
    chain = ready_chain(folder, bin_folder, trial)
    try:
        for proxy in chain.proxies.values():
            proxy.line = trial.line
            proxy.go_down()  # What is open was made in fair weather.
            proxy.come_back()
        before = sum(proxy.delivered for proxy in chain.proxies.values())
        connections = sum(len(proxy.connections) for proxy in chain.proxies.values())
        dark = threading.Thread(target=outage, args=(chain, chain.stores[-1], 1), daemon=True)
        dark.start()
        chain.run_job(patience)
        delivered = sum(proxy.delivered for proxy in chain.proxies.values()) - before
        connections = sum(len(proxy.connections) for proxy in chain.proxies.values()) - connections
        return chain.model(PLAN), delivered, connections, chain.aborted()
    finally:
        chain.stop()


def run(bin_folder, trial, patience, tell=print):
    """Raises Broken where a bad link broke something."""
    folder = tempfile.mkdtemp(prefix="aisle-links-")
    passed = False
    try:
        model, needed, setup = good_links(os.path.join(folder, "good"), bin_folder, trial)
        began = time.monotonic()
        model_of_bad, delivered, connections, aborted = bad_links(os.path.join(folder, "bad"), bin_folder, trial, patience)
        twice = delivered - needed - connections * setup
        tell(f"{trial.rounds} rounds over bad links in {time.monotonic() - began:.0f} s: {connections} connections of {setup} bytes each; "
             f"{delivered} bytes delivered where {needed} are needed: {max(twice, 0)} sent twice, {max(twice, 0) / needed:.1%}")
        if aborted:
            raise Broken(f"{len(aborted)} rounds aborted: {aborted}")
        if model_of_bad != model:
            raise Broken("the model isn't the one of good links")
        if twice > TWICE_MAX * needed:
            raise Broken(f"{twice} of {needed} bytes were sent twice; the limit is {TWICE_MAX:.0%}")
        if connections < 2 * trial.stores:
            raise Broken(f"only {connections} connections were made: nothing was cut")
        passed = True
    finally:
        if passed:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            tell(f"what the programs left: {folder}")


def budget(bin_folder, trial, tell=print):
    """A store that may move one round's bytes a day moves no more, and the job goes on with the others."""
    folder = tempfile.mkdtemp(prefix="aisle-links-")
    one_round = 2 * 24 * trial.hidden
    limit = int(1.6 * one_round)
    trial = dataclasses.replace(trial, stores=4)
    policies = {"s4": f'[limits]\nbytes_per_day = "{limit} B"\n{chains.SITE_POLICY}'}
    chain = ready_chain(folder, bin_folder, trial, policies, cohort=3)
    try:
        proxy = chain.proxies["s4"]
        before = proxy.delivered
        chain.run_job(patience=120, cohort=3)
        moved = proxy.delivered - before
        tell(f"a store with a budget of {limit} bytes a day moved {moved}; a round takes {one_round}")
        if moved > 1.05 * limit:
            raise Broken(f"{moved} bytes went over a link with a budget of {limit}")
        if moved < one_round / 2:
            raise Broken("the store had no turn, so that nothing was tried")
        served = integer(chain.aisle.job(PLAN).get("rounds_committed"))
        if served != trial.rounds:
            raise Broken(f"{served} of {trial.rounds} rounds were committed")
    finally:
        chain.stop()
        shutil.rmtree(folder, ignore_errors=True)


def interrupt(*_):
    raise KeyboardInterrupt


def main(arguments):
    parser = argparse.ArgumentParser(prog="./dev link-trial", description=__doc__)
    parser.add_argument("--part", action="store_true", help="sixteen times as fast: what CI runs")
    parser.add_argument("--seed", type=int, default=1, help="of when links are cut")
    parser.add_argument("--rounds", type=int, default=None, metavar="N", help="of the job (2)")
    parser.add_argument("--namespaces", action="store_true", help="the kernel's bad links instead of the proxy's; wants root")
    parser.add_argument("--bin", default=os.path.join(ROOT, "build", "dev", "bin"), help="where the programs are")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, interrupt)
    trial = PART if options.part else WHOLE
    trial = dataclasses.replace(trial, seed=options.seed, rounds=options.rounds or trial.rounds)
    try:
        if options.namespaces:
            import namespaces  # pylint: disable=import-outside-toplevel
            if why := namespaces.missing():
                raise DemoError(why)
            namespaces.run(options.bin, namespaces.PART if options.part else namespaces.WHOLE, lambda text: print(text, flush=True))
            return 0
        run(options.bin, trial, patience=120 if options.part else 3600, tell=lambda text: print(text, flush=True))
        return 0
    except (Broken, DemoError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
