"""Real processes, real TLS, real disks: `kill -9` of the coordinator, of agents and of workers in the middle of a job. Every
round is committed all the same, nothing is published twice, and every store's ledger still verifies."""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import types
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "cli", "demo"))
import demo  # noqa: E402
import descriptions  # noqa: E402
import prepare_oj  # noqa: E402
import processes  # noqa: E402
import programs  # noqa: E402

BIN = os.path.join(os.environ.get("AISLE_BUILD", os.path.join(ROOT, "build", "dev")), "bin")
STORES, ROUNDS, WEEKS, BRANDS = 5, 8, 30, 11
KILLS = 9
SEED = int(os.environ.get("AISLE_KILL_SEED", "20261122"))


def write_chain(folder, luck):
    """A made-up chain in the demo's layout: the demand plan's tables, with numbers in their ranges."""
    with open(os.path.join(folder, "tables.toml"), "w", encoding="utf-8") as file:
        file.write(prepare_oj.tables_toml())
    for number in range(1, STORES + 1):
        store = os.path.join(folder, "stores", f"s{number}")
        os.makedirs(store)
        prices = {week: [round(luck.uniform(0.02, 0.06), 4) for _ in range(BRANDS)] for week in range(40, 40 + WEEKS)}
        with open(os.path.join(store, "sales.csv"), "w", encoding="utf-8") as file:
            file.write("week,brand,units_log,price,deal,feature\n")
            for week, shelf in prices.items():
                for brand, price in enumerate(shelf, 1):
                    file.write(f"{week},{brand},{luck.uniform(7, 11):.3f},{price},{luck.randint(0, 1)},0.0\n")
        with open(os.path.join(store, "shelf.csv"), "w", encoding="utf-8") as file:
            file.write("week," + ",".join(f"price{brand}" for brand in range(1, BRANDS + 1)) + "\n")
            for week, shelf in prices.items():
                file.write(f"{week}," + ",".join(map(str, shelf)) + "\n")
        with open(os.path.join(store, "traits.csv"), "w", encoding="utf-8") as file:
            file.write("age60,educ,ethnic,income,hhlarge,workwom,hval150,sstrdist,sstrvol,cpdist5,cpwvol5\n")
            file.write("0.17,0.22,0.15,10.6,0.11,0.35,0.34,3.5,1.2,2.1,0.4\n")


def small_plan(folder):
    """The demand plan for a small chain, where all but two stores are enough."""
    shutil.copytree(os.path.join(ROOT, "plans", "demand"), folder)
    path = os.path.join(folder, "plan.toml")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    before, after = text.split("[cohort]", 1)
    rest = after.split("\n[", 1)
    tail = "\n[" + rest[1] if len(rest) > 1 else ""
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{before}[cohort]\nmin = {STORES - 2}\ntarget = {STORES}\nover_selection = 1.0\n{tail}")


class Kills(unittest.TestCase):
    def setUp(self):
        if not os.path.exists(os.path.join(BIN, "aisle-worker")):
            self.skipTest("aisle-worker isn't built")
        self.luck = random.Random(SEED)
        self.folder = tempfile.mkdtemp(prefix="aisle-kill-")
        chain = os.path.join(self.folder, "data")
        os.makedirs(chain)
        write_chain(chain, self.luck)
        small_plan(os.path.join(self.folder, "plan"))
        options = types.SimpleNamespace(data=chain, stores=None, rounds=ROUNDS, bin=BIN, keep=False,
                                        plan=(os.path.join(self.folder, "plan"), descriptions.DEMAND), json=None, plot=None)
        self.fleet = demo.Demo(options, self.folder)
        self.addCleanup(self.put_away)

    def put_away(self):
        self.fleet.memory.stop()
        self.fleet.processes.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def kill(self, name):
        process = self.fleet.processes.running[name]
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        self.fleet.processes.start(name, process.args)
        if name == "coordinator":
            self.fleet.wait_for("the coordinator to come back", self.fleet.answers)

    def kill_a_worker(self):
        agent = self.fleet.processes.running[self.luck.choice(self.fleet.stores)]
        for child in processes._children().get(agent.pid, ()):
            os.kill(child, signal.SIGKILL)

    def test_every_round_is_committed_whatever_is_killed(self):
        fleet = self.fleet
        fleet.prepare_data()
        fleet.start_coordinator()
        fleet.start_agents()
        plan = os.path.join(self.folder, "demand.plan")
        fleet.aisle.build_plan(fleet.plan_folder, plan)
        fleet.aisle.submit(plan, "demand", ROUNDS, STORES)
        victims = ["coordinator", *fleet.stores, "coordinator", "worker", "coordinator", "worker"]
        done = 0
        while True:
            patience = self.luck.randint(2, 9)  # Changes seen before the next kill: any phase may be hit.
            with open(fleet.processes.log_path("watch"), "a", encoding="utf-8") as log:
                watch = fleet.aisle.watch("demand", log)
            ended = False
            for line in watch.stdout:
                patience -= 1
                ended = json.loads(line)["job"]["state"] in programs.ENDED
                if ended or (patience <= 0 and done < KILLS):
                    break
            processes.kill_group(watch)
            watch.stdout.close()
            if ended:
                break
            if done < KILLS:
                victim = victims[done % len(victims)]
                done += 1
                if victim == "worker":
                    self.kill_a_worker()
                else:
                    self.kill(victim)
        job = fleet.aisle.job("demand")
        self.assertEqual(job["state"], "JOB_STATE_FINISHED", job.get("state_reason"))
        self.assertEqual(job["rounds_committed"], ROUNDS)
        self.assertGreaterEqual(done, 3, "the job was over before anything could be killed")
        models = fleet.aisle.json("model", "list", "demand", *fleet.aisle.connection())["models"]
        self.assertEqual([int(model["version"]) for model in models], list(range(1, ROUNDS + 1)))
        for store in fleet.stores:
            ledger = os.path.join(self.folder, "stores", store, "data")
            verified = subprocess.run([os.path.join(BIN, "aisle"), "ledger", "verify", "--data", ledger],
                                      capture_output=True, text=True, check=False)
            self.assertEqual(verified.returncode, 0, verified.stderr)


if __name__ == "__main__":
    unittest.main()
