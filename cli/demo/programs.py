"""Every call the demo makes of Aisle's programs, each in one place: the public command line and nothing else."""
import json
import os
import subprocess

from processes import DemoError, kill_group


class Aisle:
    """The command line, speaking to one chain's coordinator."""

    def __init__(self, bin_folder, chain_folder, coordinator):
        self.bin, self.chain, self.coordinator = bin_folder, chain_folder, coordinator
        # What a call that is cut short leaves behind goes with the chain's folder.
        self.environment = {**os.environ, "TMPDIR": os.path.dirname(os.path.abspath(chain_folder))}
        self._running = set()  # Calls under way, on any thread.
        self._aborted = False

    def program(self, name):
        return os.path.join(self.bin, name)

    def run(self, *arguments, timeout=300):
        command = [self.program("aisle"), *map(str, arguments)]
        if self._aborted:
            raise DemoError("stopping")
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   start_new_session=True, env=self.environment)
        self._running.add(process)
        try:
            out, said = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            raise DemoError(f"{' '.join(command)} took over {timeout} s") from error
        finally:
            kill_group(process)
            self._running.discard(process)
        if process.returncode != 0:
            raise DemoError(f"{' '.join(command)} ended with code {process.returncode}:\n{(said or out).strip()}")
        return out

    def abort(self):
        """Ends every call under way; later ones fail at once."""
        self._aborted = True
        for process in list(self._running):
            kill_group(process)

    def json(self, *arguments, timeout=300):
        out = self.run(*arguments, "--json", timeout=timeout)
        try:
            return json.loads(out)
        except json.JSONDecodeError as error:
            raise DemoError(f"aisle {' '.join(map(str, arguments))} --json printed no JSON ({error}): {out[:200]}") from error

    def connection(self):
        return ("--coordinator", self.coordinator, "--identity", self.chain)

    # Headquarters.
    def init(self, name):
        return self.json("init", self.chain, "--chain", name, "--listen", self.coordinator)

    def overview(self):
        return self.json("overview", *self.connection(), timeout=20)

    def add_store(self, store, file):
        return self.json("store", "add", store, "--out", file, *self.connection())

    def stores(self):
        return self.json("store", "list", *self.connection())["stores"]

    def submit(self, plan, job, rounds, cohort):
        return self.json("job", "submit", plan, "--job", job, "--rounds", rounds, "--cohort", cohort, *self.connection())

    def job(self, job):
        return self.json("job", "show", job, *self.connection())

    def rounds(self, job):
        return self.json("round", "list", job, "--last", 10000, *self.connection())["rounds"]

    def fetch_model(self, model, file):
        return self.run("model", "fetch", model, "--out", file, *self.connection())

    def watch(self, job, log):
        """A process whose standard output is one JSON snapshot per line, until the job has ended."""
        return subprocess.Popen([self.program("aisle"), "job", "watch", job, "--json", *self.connection()],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True)

    # A plan, and a plan on rows at hand without any coordinator.
    def build_plan(self, folder, file):
        return self.json("plan", "build", folder, "--out", file, "--identity", self.chain)

    def evaluate(self, plan, weights, tables, folders):
        """One score for each folder, in the same order."""
        options = [word for folder in folders for word in ("--data", folder)]
        return self.json("plan", "evaluate", plan, "--weights", weights, "--tables", tables, *options)["stores"]

    def train_alone(self, plan, tables, folder, passes, seed, out):
        return self.json("plan", "train-alone", plan, "--tables", tables, "--data", folder, "--passes", passes, "--seed", seed,
                         "--out", out)

    def prices(self, plan, sizes, rounds):
        options = [word for stores in sizes for word in ("--stores", stores)]
        found = self.json("plan", "price", plan, *options, "--rounds", rounds)["prices"]
        return [{"stores": price["stores"], **{ours: price[theirs] for ours, theirs in PRICE_KEYS.items()}} for price in found]


# By two accountants: the tight one (the exact Gaussian, privacy loss distributions where customers are sampled), and Renyi's,
# by which the ledger counts.
PRICE_KEYS = {"epsilon_floor": "floor_epsilon", "epsilon_floor_rdp": "ledger_epsilon",
              "epsilon_aggregate": "aggregate_epsilon", "epsilon_aggregate_rdp": "aggregate_ledger_epsilon"}


def integer(value):
    """Protobuf's JSON has 64-bit integers as strings."""
    return int(value or 0)


PHASES = {"ROUND_PHASE_SELECTING": "selecting", "ROUND_PHASE_TRAINING": "training", "ROUND_PHASE_COLLECTING": "collecting",
          "ROUND_PHASE_COMMITTING": "committing", "ROUND_PHASE_COMMITTED": "committed", "ROUND_PHASE_ABORTED": "aborted",
          "ROUND_PHASE_ADVERTISING": "advertising", "ROUND_PHASE_SHARING": "sharing", "ROUND_PHASE_CONFIRMING": "confirming",
          "ROUND_PHASE_UNMASKING": "unmasking"}
ENDED = {"JOB_STATE_FINISHED", "JOB_STATE_CANCELLED", "JOB_STATE_FAILED"}


def view_of(snapshot, totals):
    """What the live line shows of one JobSnapshot. `totals` remembers what only committed rounds tell."""
    job, now = snapshot["job"], snapshot.get("round") or {}
    number = integer(now.get("round", {}).get("number")) if now.get("round") else 0
    totals["up"][number] = integer(now.get("bytes_up"))
    if now.get("metrics", {}).get("loss") is not None:
        totals["loss"] = now["metrics"]["loss"]
    phase = PHASES.get(now.get("phase"), "waiting")
    stores_in = now.get("stores_collected", 0) if phase in ("collecting", "committing", "committed") else now.get("stores_trained", 0)
    return {"round": number, "rounds": job["rounds_total"], "committed": job["rounds_committed"], "phase": phase,
            "stores_in": stores_in, "stores_asked": now.get("stores_selected", 0), "loss": totals["loss"],
            "epsilon": float(job["epsilon_floor"]),  # "Infinity" where nothing is promised.
            "bytes_up": sum(totals["up"].values()),
            "seconds_per_round": snapshot.get("seconds_per_round") or 0.0}
