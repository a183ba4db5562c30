"""What the secure sum adds to a round over the wire: one coordinator and 32 real agents train the demo's plan by turns with and
without it, in one run, so that whatever else the machine does weighs on both.

    python3 bench/secure_rounds.py [--stores N] [--rounds N] [--turns N] [--bin DIR] [--json FILE]

Exits with 3 where the data isn't here and can't be fetched.
"""
import argparse
import json
import os
import re
import shutil
import statistics
import sys
import tempfile
import types

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "cli", "demo"))
import demo  # noqa: E402
import descriptions  # noqa: E402
import prepare_oj  # noqa: E402
from processes import kill_group  # noqa: E402
from programs import ENDED, integer  # noqa: E402

DATA_MISSING = 3
WAYS = {"plain": "false", "secure": "true"}
# Sites that take plans of either kind.
FLEET = descriptions.DEMAND._replace(held_out=0, site_policy=descriptions.DEMAND_POLICY + 'secure_sum = "optional"\n')


def plan_folder(folder, way):
    """The demand plan with the secure sum on or off."""
    copy = os.path.join(folder, way)
    shutil.copytree(os.path.join(ROOT, "plans", "demand"), copy)
    path = os.path.join(copy, "plan.toml")
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"(?m)^secure_sum\s*=.*\n", "", file.read())
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("[privacy]\n", f"[privacy]\nsecure_sum = {WAYS[way]}\n", 1))
    return copy


def run_job(fleet, plan, name, rounds):
    """Seconds of each committed round."""
    fleet.aisle.submit(plan, name, rounds, len(fleet.stores))
    with open(fleet.processes.log_path("watch"), "a", encoding="utf-8") as log:
        watch = fleet.aisle.watch(name, log)
        for line in watch.stdout:
            if json.loads(line)["job"]["state"] in ENDED:
                break
        kill_group(watch)
        watch.stdout.close()
    committed = [row for row in fleet.aisle.rounds(name) if row["phase"] == "ROUND_PHASE_COMMITTED"]
    if len(committed) != rounds:
        raise SystemExit(f"{name} committed {len(committed)} rounds of {rounds}: {fleet.aisle.job(name)}")
    return [(integer(row["closed_unix_ms"]) - integer(row["opened_unix_ms"])) / 1000 for row in committed]


def measure(options, folder):
    chosen = types.SimpleNamespace(data=None, stores=options.stores, rounds=None, customers=None, bin=options.bin, keep=False,
                                   plan=(None, FLEET), json=None, plot=None)
    fleet = demo.Demo(chosen, folder)
    seconds = {way: [] for way in WAYS}
    try:
        fleet.prepare_data()
        fleet.start_coordinator()
        fleet.start_agents()
        plans = {}
        for way in WAYS:
            fitted = os.path.join(folder, f"fitted-{way}")
            descriptions.fit_plan(plan_folder(folder, way), fitted, len(fleet.stores), None)
            plans[way] = os.path.join(folder, f"{way}.plan")
            fleet.aisle.build_plan(fitted, plans[way])
        for turn in range(options.turns):
            for way in WAYS:
                taken = run_job(fleet, plans[way], f"{way}-{turn}", options.rounds)
                seconds[way] += taken[1:]  # The first round fetches the plan and starts the workers.
                print(f"turn {turn + 1}, {way}: {statistics.median(taken[1:]):.2f} s a round", flush=True)
    finally:
        fleet.memory.stop()
        fleet.processes.stop()
    return {way: statistics.median(values) for way, values in seconds.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stores", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=6, help="of each job")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--bin", default=os.path.join(ROOT, "build", "release", "bin"))
    parser.add_argument("--json", help="write the figures there, as Google Benchmark does")
    options = parser.parse_args()
    try:
        prepare_oj.fetch_rda(prepare_oj.cache_folder())
    except (prepare_oj.PreparationError, OSError) as error:
        print(f"secure_rounds: {error}", file=sys.stderr)
        sys.exit(DATA_MISSING)
    folder = tempfile.mkdtemp(prefix="aisle-secure-rounds-")
    try:
        seconds = measure(options, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    added = seconds["secure"] - seconds["plain"]
    print(f"{options.stores} agents: {seconds['plain']:.2f} s a round without the secure sum, {seconds['secure']:.2f} s with it: {added:+.2f} s")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"benchmarks": [{"name": f"secure_rounds/{options.stores}", "plain": seconds["plain"], "secure": seconds["secure"],
                                       "added": added}]}, file)


if __name__ == "__main__":
    main()
