"""The whole demo on a small made-up chain, through every real program; and that an interruption leaves nothing behind."""
import json
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
DEMO = os.path.join(ROOT, "cli", "demo", "demo.py")
sys.path.insert(0, os.path.dirname(DEMO))
import make_offers  # noqa: E402
import prepare_oj  # noqa: E402

BIN = os.path.join(os.environ["AISLE_BUILD"], "bin")
PROGRAMS = ("aisle", "aisle-coordinator", "aisle-agent", "aisle-worker")
PATIENCE = 240


def made_up_store(number):
    """Sales that answer to the price, as the real ones do, from a seed."""
    draw = random.Random(number)
    sales, shelf = [], []
    for week in range(40, 100):
        prices = {f"price{b}": round(draw.uniform(0.02, 0.06), 6) for b in range(1, prepare_oj.BRANDS + 1)}
        shelf.append({"week": week, **prices})
        for brand in range(1, prepare_oj.BRANDS + 1):
            price, deal = prices[f"price{brand}"], draw.randint(0, 1)
            units_log = 5 + 0.1 * brand - 2 * math.log(price / 0.04) + 0.5 * deal + draw.gauss(0, 0.2)
            sales.append({"week": week, "brand": brand, "units_log": units_log, "price": price, "deal": deal, "feature": 0.0})
    traits = [{name: draw.uniform(0.1, 0.9) for name in prepare_oj.TRAITS}]
    return {"sales": sales, "shelf": shelf, "traits": traits}


def make_chain(folder, stores, held_out):
    os.makedirs(folder)
    with open(os.path.join(folder, "tables.toml"), "w", encoding="utf-8") as file:
        file.write(prepare_oj.tables_toml())
    for number in range(stores + held_out):
        kind = "stores" if number < stores else "holdout"
        prepare_oj.write_store(os.path.join(folder, kind, f"store-{number}"), made_up_store(number))


def processes_of(folder):
    """Command lines that name the folder: what a demo run there has started."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                line = file.read().decode(errors="replace").replace("\0", " ")
            if folder in line and int(entry) != os.getpid():
                found.append(line)
        except OSError:
            pass
    return found


@unittest.skipUnless(all(os.path.exists(os.path.join(BIN, program)) for program in PROGRAMS), "not every program is built")
class DemoTest(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = place.name
        self.data = os.path.join(self.folder, "data")
        make_chain(self.data, stores=4, held_out=1)
        self.runs = os.path.join(self.folder, "runs")
        os.makedirs(self.runs)

    def start(self, *options):
        return subprocess.Popen([sys.executable, "-B", DEMO, "--bin", BIN, "--data", self.data, "--plot", self.path("plot.svg"), *options],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": self.runs})

    def path(self, name):
        return os.path.join(self.folder, name)

    def test_ends_with_a_table_a_plot_and_every_figure(self):
        demo = self.start("--rounds", "2", "--json", self.path("figures.json"))
        out, said = demo.communicate(timeout=PATIENCE)
        self.assertEqual(0, demo.returncode, said)
        for words in ("federated", "each store alone", "last week's sales", "epsilon", "peak memory", "20,000"):
            self.assertIn(words, out)
        with open(self.path("figures.json"), encoding="utf-8") as file:
            figures = json.load(file)
        self.assertEqual({"committed": 2, "aborted": 0}, figures["rounds"])
        self.assertEqual(5, len(figures["per_store"]))
        self.assertGreater(figures["privacy"]["epsilon_floor"], 0)
        self.assertGreater(figures["traffic"]["up_per_store"], 0)
        for kind in ("coordinator", "agent", "worker"):
            self.assertGreater(figures["memory"][kind], 1 << 20)
        for kind in ("weeks", "stores"):
            for method in ("federated", "alone", "naive"):
                self.assertTrue(math.isfinite(figures["accuracy"][kind][method]["rmse"]))
        self.assertTrue(os.path.exists(self.path("plot.svg")))
        self.assert_nothing_left()

    def test_a_plan_with_customers_ends_with_their_epsilon_in_both_tiers(self):
        shutil.rmtree(self.data)
        make_offers.prepare(self.data, 4, 1, households=30)
        demo = self.start("--plan", "offers", "--customers", "30", "--rounds", "2", "--json", self.path("figures.json"))
        out, said = demo.communicate(timeout=PATIENCE)
        self.assertEqual(0, demo.returncode, said)
        for words in ("the household's habits", "what everybody buys", "unit customer", "floor, PLD", "aggregate, RDP", "20,000",
                      "drawn with probability 0.25", "8 expected of a store"):
            self.assertIn(words, out)
        with open(self.path("figures.json"), encoding="utf-8") as file:
            figures = json.load(file)
        self.assertEqual({"committed": 2, "aborted": 0}, figures["rounds"])
        self.assertEqual("customer", figures["privacy"]["unit"])
        for price in figures["privacy"]["prices"]:
            self.assertLess(0, price["epsilon_floor"])
            self.assertLessEqual(price["epsilon_floor"], price["epsilon_floor_rdp"])
            self.assertLess(price["epsilon_aggregate"], price["epsilon_floor"])
        self.assert_nothing_left()

    def test_an_interruption_stops_everything(self):
        demo = self.start("--rounds", "150")
        give_up_at = time.monotonic() + PATIENCE
        while len(processes_of(self.runs)) < 5 and demo.poll() is None:  # The coordinator and four agents.
            self.assertLess(time.monotonic(), give_up_at)
            time.sleep(0.05)
        demo.send_signal(signal.SIGINT)
        _, said = demo.communicate(timeout=PATIENCE)
        self.assertEqual(130, demo.returncode, said)
        self.assert_nothing_left()

    def assert_nothing_left(self):
        self.assertEqual([], processes_of(self.runs))
        self.assertEqual([], os.listdir(self.runs))


if __name__ == "__main__":
    unittest.main()
