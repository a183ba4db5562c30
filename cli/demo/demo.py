"""A whole federated job on one machine: `./dev demo` builds the programs and calls this. Standard library only.

A private CA, one coordinator and N agents on loopback, each with an identity, a folder and rows of its own; then one
plan's job, a comparison with models that each store trains alone, a table and a plot. Everything started is stopped.
"""
import argparse
import concurrent.futures
import json
import os
import platform
import shutil
import signal
import statistics
import sys
import tempfile
import threading
import time

import descriptions
import plot
import prepare_oj
import rdata
import report
from processes import DemoError, MemoryWatch, Processes, free_port, kill_group
from programs import ENDED, Aisle, integer, view_of
from progress import Progress, snapshot_text
import settings

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CHAIN_SIZES = (200, 2000, 20000)
START_PATIENCE = 60.0  # Seconds for the coordinator to answer, and for each store to enrol and take in its rows.
STALL_PATIENCE = 300.0  # Seconds without any news of the job.


class Demo:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.plan_folder, self.description = options.plan
        self.job_name = self.description.name
        self.progress = Progress()
        self.processes = Processes(os.path.join(folder, "logs"), outlive=options.keep)
        self.memory = MemoryWatch(self.processes)
        self.port = free_port()
        self.aisle = Aisle(options.bin, os.path.join(folder, "chain"), f"127.0.0.1:{self.port}")
        self.seconds = {}
        self.stores, self.held_out = [], []
        self.http_ports = {}

    # The data.

    def prepare_data(self):
        if self.options.data:
            self.data = os.path.abspath(self.options.data)
            self.stores = sorted(os.listdir(os.path.join(self.data, "stores")))[:self.options.stores or None]
            holdout = os.path.join(self.data, "holdout")
            self.held_out = sorted(os.listdir(holdout)) if os.path.isdir(holdout) else []
        else:
            self.data = os.path.join(self.folder, "data")
            stores = self.options.stores or self.description.stores
            self.stores, self.held_out = self.description.make_data(self.data, stores, self.description.held_out)
        if not self.stores:
            raise DemoError(f"{self.data}/stores holds no stores")
        self.tables = os.path.join(self.data, "tables.toml")
        if not os.path.exists(self.tables):
            raise DemoError(f"{self.tables} is missing: it names the tables, their columns and types")
        self.progress.step(f"data: {len(self.stores)} stores train, {len(self.held_out)} are held out ({self.data})")

    def store_folder(self, store):
        kind = "stores" if store in self.stores else "holdout"
        return os.path.join(self.data, kind, store)

    # The fleet.

    def start_coordinator(self):
        self.aisle.init("demo")
        self.http_ports["coordinator"] = free_port()
        config = settings.coordinator(self.aisle.chain, self.http_ports["coordinator"])
        self.processes.start("coordinator", [self.aisle.program("aisle-coordinator"), "--config", config])
        self.wait_for("the coordinator to answer", self.answers)
        self.progress.step(f"coordinator: 127.0.0.1:{self.port}, with a certificate authority of its own")

    def answers(self):
        try:
            self.aisle.overview()
            return True
        except DemoError as error:
            self.last_answer = str(error)
            return False

    def start_agents(self):
        for store in self.stores:
            folder = os.path.join(self.folder, "stores", store)
            os.makedirs(folder)
            self.aisle.add_store(store, os.path.join(folder, "enrol.toml"))
            self.http_ports[store] = free_port()
            config = settings.agent(folder, self.tables, self.options.bin, self.http_ports[store], self.description.site_policy)
            self.fill_inbox(folder, store)
            self.processes.start(store, [self.aisle.program("aisle-agent"), "--config", config])
        self.wait_for("every store to enrol", lambda: self.enrolled() == len(self.stores))
        self.wait_for("every store to take in its rows", lambda: all(map(self.rows_are_in, self.stores)))
        self.progress.step(f"agents: {len(self.stores)} enrolled with one-time codes, their rows taken in")

    def fill_inbox(self, folder, store):
        """A file appears in the inbox whole: copied beside it, then renamed."""
        for table in self.tables_of(store):
            os.makedirs(settings.inbox(folder, table))
            part = os.path.join(folder, f"{table}.part")
            shutil.copyfile(os.path.join(self.store_folder(store), f"{table}.csv"), part)
            os.replace(part, os.path.join(settings.inbox(folder, table), f"{table}.csv"))

    def tables_of(self, store):
        return sorted(name.removesuffix(".csv") for name in os.listdir(self.store_folder(store)) if name.endswith(".csv"))

    def rows_are_in(self, store):
        folder = os.path.join(self.folder, "stores", store)
        for table in self.tables_of(store):
            if os.path.exists(os.path.join(settings.refused(folder), table, f"{table}.csv")):
                raise DemoError(f"{store} refused {table}.csv: see {settings.refused(folder)}/{table}/{table}.csv.report.json")
            if os.path.exists(os.path.join(settings.inbox(folder, table), f"{table}.csv")):
                return False
        return True

    def enrolled(self):
        return sum(1 for store in self.aisle.stores() if store["state"] == "enrolled")

    def wait_for(self, what, ready):
        give_up_at = time.monotonic() + START_PATIENCE
        while not ready():
            self.processes.check()
            if time.monotonic() > give_up_at:
                raise DemoError(f"waited {START_PATIENCE:.0f} s for {what}. {getattr(self, 'last_answer', '')}")
            time.sleep(0.1)

    # The job.

    def run_job(self):
        started = time.monotonic()
        self.plan = os.path.join(self.folder, f"{self.job_name}.plan")
        fitted = os.path.join(self.folder, "plan")
        descriptions.fit_plan(self.plan_folder, fitted, len(self.stores), self.options.customers)
        self.plan_folder = fitted
        built = self.aisle.build_plan(self.plan_folder, self.plan)
        rounds = self.options.rounds or min(self.description.rounds, built["privacy"]["rounds_max"])
        self.aisle.submit(self.plan, self.job_name, rounds, len(self.stores))
        self.progress.step(f"job {self.job_name}: submitted")
        with open(self.processes.log_path("watch"), "w", encoding="utf-8") as log:
            watch = self.aisle.watch(self.job_name, log)
            try:
                last = self.follow(watch)
            finally:
                kill_group(watch)
        job = self.aisle.job(self.job_name)
        if job["state"] != "JOB_STATE_FINISHED":
            self.explain_failure(job, last)
        self.seconds["rounds"] = time.monotonic() - started
        self.progress.step(f"job {self.job_name}: {job['rounds_committed']} rounds committed in {self.seconds['rounds']:.1f} s")
        return job

    def follow(self, watch):
        totals, told = {"up": {}, "loss": None}, 0
        heard = [time.monotonic()]
        threading.Thread(target=self.guard, args=(watch, heard), daemon=True).start()
        snapshot = {}
        for line in watch.stdout:
            heard[0] = time.monotonic()
            snapshot = json.loads(line)
            view = view_of(snapshot, totals)
            self.progress.show(snapshot_text(view))
            if not self.progress.live and view["phase"] in ("committed", "aborted") and view["round"] > told:
                told = view["round"]
                self.progress.step(snapshot_text(view).strip())
            if snapshot["job"]["state"] in ENDED:
                break
        return snapshot

    def guard(self, watch, heard):
        """Ends the watching if a program of the fleet has ended, or nothing at all is heard."""
        while watch.poll() is None:
            time.sleep(1)
            ended = [name for name, process in self.processes.running.items() if process.poll() is not None]
            if ended or time.monotonic() - heard[0] > STALL_PATIENCE:
                watch.kill()

    def explain_failure(self, job, last):
        self.processes.check()
        rounds = self.aisle.rounds(self.job_name)
        reason = job.get("state_reason") or (rounds and rounds[-1].get("abort_reason")) or (last.get("round") or {}).get("abort_reason")
        refusals = {store["id"]: store["last_refusal"] for store in self.aisle.stores() if store.get("last_refusal")}
        raise DemoError(f"the job is {job['state']}, not finished: {reason}\n" +
                        "\n".join(f"  {store}: {why}" for store, why in sorted(refusals.items())))

    # The judgement.

    def judge(self):
        """Every store's scores in its held-out weeks, by every method."""
        weights = os.path.join(self.folder, "federated.weights")
        self.aisle.fetch_model(self.job_name, weights)
        stores = self.stores + self.held_out
        rounds = integer(self.aisle.job(self.job_name)["rounds_committed"])
        federated = self.scores(weights, stores)
        self.progress.step("federated model: judged on the held-out weeks of every store")
        self.curve = self.learning_curve(rounds)
        self.progress.step(f"{len(self.curve)} earlier versions of it: judged too")
        passes = self.description.passes_alone(rounds)
        alone = self.for_each(stores, lambda store: self.scores_alone(store, passes))
        times = self.description.trainings_alone
        self.progress.step(f"{len(stores) * times} models, each trained by one store alone in {passes} passes: judged the same way")
        return [{"store": store, "kind": "trained" if store in self.stores else "holdout", "examples": ours["examples"],
                 **{measure.key: by_method(ours[measure.key], theirs[measure.key]) for measure in self.description.measures}}
                for store, ours, theirs in zip(stores, federated, alone)]

    def for_each(self, things, work):
        """On every core; an interruption ends the calls under way."""
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            try:
                return list(pool.map(work, things))
            except BaseException:
                self.aisle.abort()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def learning_curve(self, rounds):
        """The mean score over the stores that trained, after 1, 2, 4 … rounds: judged here, without noise."""
        versions = sorted({1 << power for power in range(rounds.bit_length()) if 1 << power < rounds} | {rounds})
        first = self.description.measures[0].key

        def judge(version):
            weights = os.path.join(self.folder, f"version-{version}.weights")
            self.aisle.fetch_model(f"{self.job_name}@{version}", weights)
            return {"round": version, "score": statistics.fmean(score[first]["model"] for score in self.scores(weights, self.stores))}
        return self.for_each(versions, judge)

    def scores(self, weights, stores):
        folders = [self.store_folder(store) for store in stores]
        return [{"examples": integer(found["examples"]), **self.description.score(found["sums"])}
                for found in self.aisle.evaluate(self.plan, weights, self.tables, folders)]

    def scores_alone(self, store, passes):
        """The mean over trainings with other seeds: what a store alone may expect, rather than what chance gave it once."""
        found = []
        for seed in range(self.description.trainings_alone):
            weights = os.path.join(self.folder, f"alone-{store}-{seed}.weights")
            self.aisle.train_alone(self.plan, self.tables, self.store_folder(store), passes, seed, weights)
            found += self.scores(weights, [store])
        return mean_score(found, self.description.measures)

    def results(self, job, per_store):
        rounds = self.aisle.rounds(self.job_name)
        committed = [entry for entry in rounds if entry["phase"] == "ROUND_PHASE_COMMITTED"]
        walls = [(integer(entry["closed_unix_ms"]) - integer(entry["opened_unix_ms"])) / 1000 for entry in committed]
        self.memory.look()
        up = sum(integer(entry["bytes_up"]) for entry in rounds)
        down = sum(integer(entry["bytes_down"]) for entry in rounds)
        updates = sum(entry["stores_collected"] for entry in committed) or 1
        return {
            "title": f"Aisle: the {self.job_name} plan over {len(self.stores)} stores",
            "plan": self.job_name,
            "measures": [measure._asdict() for measure in self.description.measures],
            "methods": self.description.methods(),
            "alone_note": self.description.alone_note,
            "machine": f"{os.cpu_count()} cores, {platform.machine()}",
            "stores": {"trained": len(self.stores), "held_out": len(self.held_out)},
            "rounds": {"committed": job["rounds_committed"], "aborted": job["rounds_aborted"]},
            "model": {"parameters": integer(job["parameters"]), "update_bytes": up / updates},
            "accuracy": {name: means(per_store, kind, self.description) for name, kind in (("weeks", "trained"), ("stores", "holdout"))
                         if any(store["kind"] == kind for store in per_store)},
            "per_store": per_store,
            "curve": self.curve,
            "history": [self.history_point(entry) for entry in committed],
            "privacy": self.privacy(job),
            "traffic": {"up_per_store": up / len(self.stores), "down_per_store": down / len(self.stores)},
            "seconds": {"per_round": statistics.median(walls) if walls else 0.0, **self.seconds},
            "memory": dict(self.memory.peaks),
        }

    def history_point(self, entry):
        metrics = entry.get("metrics") or {}
        return {"round": entry["round"]["number"], "loss": metrics.get("loss"), "score": self.description.told(metrics),
                "stores": entry["stores_collected"]}

    def privacy(self, job):
        sizes = sorted({len(self.stores), *CHAIN_SIZES})
        prices = self.aisle.prices(self.plan, sizes, job["rounds_committed"]) if job["privacy_unit"] != "none" else []
        contract = descriptions.privacy_of(self.plan_folder)
        sampled = contract["sampling_rate"] * contract["customers_per_store"] if "customers_per_store" in contract else None
        promised = job["privacy_unit"] != "none"
        return {"unit": job["privacy_unit"], "delta": job["delta"], "epsilon_floor": float(job["epsilon_floor"]) if promised else None,
                "epsilon_aggregate": float(job["epsilon_aggregate"]) if promised else None, "prices": prices,
                "sampling_rate": contract.get("sampling_rate"), "customers_sampled_per_store": sampled}

    # From start to end.

    def run(self):
        started = time.monotonic()
        self.prepare_data()
        self.start_coordinator()
        self.start_agents()
        self.seconds["setup"] = time.monotonic() - started
        job = self.run_job()
        per_store = self.judge()
        results = self.results(job, per_store)
        results["seconds"]["total"] = time.monotonic() - started
        return results

    def stop(self):
        self.memory.stop()
        if not self.options.keep:
            self.processes.stop()


def by_method(ours, theirs):
    """One measure of one store: the federated model, the store's own, and what needs no model."""
    return {"federated": ours["model"], "alone": theirs["model"], **{name: value for name, value in ours.items() if name != "model"}}


def mean_score(scores, measures):
    """Of several models on the same rows: what needs no model is the same in each."""
    return {**scores[0], **{measure.key: {**scores[0][measure.key],
                                          "model": statistics.fmean(score[measure.key]["model"] for score in scores)}
                            for measure in measures}}


def means(per_store, kind, description):
    """Over stores of a kind: the mean of each method's scores, every store counting the same."""
    chosen = [store for store in per_store if store["kind"] == kind]
    return {method: {measure.key: statistics.fmean(store[measure.key][method] for store in chosen) for measure in description.measures}
            for method in description.methods()}


def write(path, content):
    path = os.path.abspath(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".part", "w", encoding="utf-8") as file:
        file.write(content)
    os.replace(path + ".part", path)


def tell_what_is_kept(demo):
    pids = " ".join(str(process.pid) for process in demo.processes.running.values())
    print(f"\nLeft running in {demo.folder}:")
    print(f"  coordinator   127.0.0.1:{demo.port}, metrics http://127.0.0.1:{demo.http_ports['coordinator']}/metrics")
    for store in demo.stores:
        print(f"  {store:<12}  metrics http://127.0.0.1:{demo.http_ports[store]}/metrics")
    print(f"  try           {demo.aisle.program('aisle')} overview {' '.join(demo.aisle.connection())}")
    print(f"  to stop       kill {pids}")


def parse(arguments):
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stores", type=int, help="stores that train (the plan's usual number; with --data: all)")
    parser.add_argument("--rounds", type=int, help="rounds to commit (the plan's usual number)")
    parser.add_argument("--customers", type=int, help="customers that the plan expects of each store (as the plan says)")
    parser.add_argument("--json", metavar="FILE", help="write every figure there")
    parser.add_argument("--plot", metavar="FILE", default=os.path.join(ROOT, "build", "demo", "demo.svg"))
    parser.add_argument("--data", metavar="DIR", help="a chain laid out as DIR/tables.toml, DIR/stores/<id>/<table>.csv")
    parser.add_argument("--plan", metavar="NAME", default="demand",
                        help=f"{', '.join(descriptions.KNOWN)}, or the folder of a changed copy ({descriptions.DEMAND.name})")
    parser.add_argument("--keep", action="store_true", help="leave everything running and print the addresses")
    parser.add_argument("--bin", metavar="DIR", default=os.path.join(ROOT, "build", "dev", "bin"), help="where the programs are")
    options = parser.parse_args(arguments)
    for name in ("stores", "rounds", "customers"):
        if getattr(options, name) is not None and getattr(options, name) < 1:
            parser.error(f"--{name} must be at least 1")
    try:
        options.plan = descriptions.find(options.plan)
    except DemoError as error:
        parser.error(str(error))
    return options


def finish(demo, results, options):
    write(options.plot, plot.svg(results))
    results["plot"] = os.path.abspath(options.plot)
    if options.json:
        write(options.json, json.dumps(results, indent=2) + "\n")
    print(report.text(results))
    print(f"\nplot: {options.plot}" + (f"\nfigures: {options.json}" if options.json else ""))
    if options.keep:
        tell_what_is_kept(demo)


def interrupt(*_):
    raise KeyboardInterrupt


def main(arguments):
    options = parse(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    folder = tempfile.mkdtemp(prefix="aisle-demo-")
    demo = Demo(options, folder)
    code, keep_folder = 1, True
    try:
        results = demo.run()
        finish(demo, results, options)
        code, keep_folder = 0, options.keep
    except KeyboardInterrupt:
        print("\nInterrupted; everything the demo started is being stopped.", file=sys.stderr)
        code, keep_folder, options.keep = 130, False, False
    except (DemoError, prepare_oj.PreparationError, rdata.RDataError, OSError, KeyError, ValueError) as error:
        options.keep = False
        said = str(error) if not isinstance(error, KeyError) else f"an answer lacks {error}"
        print(f"\ndemo: {said}\nLogs are in {folder}/logs", file=sys.stderr)
    finally:
        # A second Ctrl-C must not leave anything behind.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        demo.stop()
        if not keep_folder:
            shutil.rmtree(folder, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
