"""The demo's table, plot, live line and README part from figures made up here; and that what it starts gets stopped."""
import copy
import os
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "cli", "demo"))
import demo  # noqa: E402
import descriptions  # noqa: E402
import plot  # noqa: E402
import processes  # noqa: E402
import programs  # noqa: E402
import progress  # noqa: E402
import readme  # noqa: E402
import report  # noqa: E402


def store(number, kind):
    return {"store": f"store-{number:03d}", "kind": kind, "examples": 130,
            "rmse": {"federated": 0.4, "alone": 0.5, "naive": 0.7}, "wape": {"federated": 0.3, "alone": 0.35, "naive": 0.5}}


RESULTS = {
    "title": "Aisle: <demand> & more", "plan": "demand", "alone_note": "",
    "measures": [measure._asdict() for measure in descriptions.DEMAND.measures], "methods": descriptions.DEMAND.methods(),
    "machine": "2 cores", "stores": {"trained": 3, "held_out": 1},
    "rounds": {"committed": 5, "aborted": 1}, "model": {"parameters": 5012, "update_bytes": 20060.0},
    "per_store": [store(n, "trained") for n in range(3)] + [store(9, "holdout")],
    "accuracy": {kind: {method: {"rmse": rmse, "wape": rmse * 0.7} for method, rmse in
                        (("federated", 0.4), ("alone", 0.5), ("naive", 0.8))} for kind in ("weeks", "stores")},
    "curve": [{"round": 1, "score": 1.0}, {"round": 5, "score": 0.4}],
    "history": [{"round": n, "loss": 1 / n, "score": 1 / n, "stores": 3} for n in range(1, 6)],
    "privacy": {"unit": "store", "delta": 1e-6, "epsilon_floor": 31.25, "epsilon_aggregate": 9.5,
                "prices": [{"stores": 3, "epsilon_floor": 31.25, "epsilon_aggregate": 31.25},
                           {"stores": 20000, "epsilon_floor": 31.25, "epsilon_aggregate": 0.04}]},
    "traffic": {"up_per_store": 1e5, "down_per_store": 2e5}, "memory": {"coordinator": 5e7, "agent": 3e7, "worker": 2e8},
    "seconds": {"per_round": 1.5, "total": 60.0, "rounds": 50.0},
}


def offers_results():
    """The same run, of the other plan."""
    scores = {"top5": {"federated": 0.3, "alone": 0.375, "habit": 0.25, "popular": 0.2},
              "loss": {"federated": 3.3, "alone": 3.4, "habit": 3.5, "popular": 3.6}}
    results = copy.deepcopy(RESULTS)
    results.update({
        "plan": "offers", "measures": [measure._asdict() for measure in descriptions.OFFERS.measures],
        "methods": descriptions.OFFERS.methods(), "alone_note": descriptions.OFFERS.alone_note,
        "per_store": [{"store": "store-001", "kind": "trained", "examples": 9, **scores}],
        "accuracy": {"weeks": {method: {measure: scores[measure][method] for measure in scores} for method in scores["top5"]}},
        "curve": [{"round": 1, "score": 0.2}, {"round": 5, "score": 0.3}],
        "privacy": {"unit": "customer", "delta": 1e-7, "epsilon_floor": 7.0, "epsilon_aggregate": 2.0,
                    "sampling_rate": 0.25, "customers_sampled_per_store": 250.0,
                    "prices": [{"stores": stores, "epsilon_floor": 6.0, "epsilon_floor_rdp": 7.0,
                                "epsilon_aggregate": epsilon, "epsilon_aggregate_rdp": epsilon}
                               for stores, epsilon in ((3, 2.0), (200, 0.5))]}})
    return results


class ReportTest(unittest.TestCase):
    def test_the_table_has_every_method_for_weeks_and_for_stores(self):
        shown = report.text(RESULTS)
        for words in ("federated", "each store alone", "last week's sales", "never trained", "0.400", "31.25", "20,000", "aggregate"):
            self.assertIn(words, shown)
        self.assertIn("50 % below last week's sales and 20 % below", shown)

    def test_a_plan_with_customers_says_whom_its_epsilon_protects_by_both_accountants(self):
        shown = report.text(offers_results())
        for words in ("unit customer: epsilon 6.00 (PLD; 7.00 by RDP", "drawn with probability 0.25", "250 expected of a store", "750 of all",
                      "aggregate, PLD", "aggregate, RDP", "the household's habits", "what everybody buys", "30.0 %",
                      "20 % above the household's habits and 20 % below the stores' own models (higher is better)"):
            self.assertIn(words, shown)
        page = report.markdown(offers_results(), None)
        self.assertIn("./dev demo --plan offers ", page)
        self.assertIn("| epsilon, floor, PLD | 6.00 | 6.00 |", page)
        drawing = plot.svg(offers_results())
        xml.etree.ElementTree.fromstring(drawing)
        self.assertIn("catch of 5 guesses; higher is better", drawing)

    def test_a_plan_without_privacy_shows_no_epsilon(self):
        results = copy.deepcopy(RESULTS)
        results["privacy"] = {"unit": "none", "delta": 0, "epsilon_floor": 0, "prices": []}
        self.assertIn("adds no noise", report.text(results))
        self.assertNotIn("by the size of the chain", report.text(results))
        xml.etree.ElementTree.fromstring(plot.svg(results))

    def test_without_held_out_stores_the_table_has_weeks_only(self):
        results = copy.deepcopy(RESULTS)
        del results["accuracy"]["stores"]
        results["per_store"] = results["per_store"][:3]
        self.assertNotIn("never trained", report.text(results))
        xml.etree.ElementTree.fromstring(plot.svg(results))

    def test_the_readme_part_is_replaced_and_nothing_else(self):
        page = "before\n<!-- demo: begin (how) -->\nold\n<!-- demo: end -->\nafter\n"
        once = readme.insert(page, RESULTS, "docs/demo.svg")
        self.assertTrue(once.startswith("before\n<!-- demo: begin (how) -->\n") and once.endswith("<!-- demo: end -->\nafter\n"))
        self.assertNotIn("\nold\n", once)
        self.assertEqual(once, readme.insert(once, RESULTS, "docs/demo.svg"))
        with self.assertRaises(ValueError):
            readme.insert("no markers", RESULTS, None)


class PlotTest(unittest.TestCase):
    def test_is_well_formed_and_within_its_frame(self):
        drawing = xml.etree.ElementTree.fromstring(plot.svg(RESULTS))
        for element in drawing.iter():
            for name, limit in (("cx", plot.WIDTH), ("cy", plot.HEIGHT), ("x1", plot.WIDTH), ("y2", plot.HEIGHT)):
                if element.get(name):
                    self.assertTrue(0 <= float(element.get(name)) <= limit, (element.tag, name, element.get(name)))

    def test_survives_many_stores_and_a_job_without_metrics(self):
        results = copy.deepcopy(RESULTS)
        results["per_store"] = [store(n, "trained") for n in range(80)]
        results["history"] = [{"round": 1, "loss": None, "score": None, "stores": 3}]
        xml.etree.ElementTree.fromstring(plot.svg(results))

    def test_ticks_are_round_and_within(self):
        self.assertEqual([0, 0.2, 0.4, 0.6, 0.8], plot.ticks(0, 0.85))
        self.assertEqual([1.0, 10.0, 100.0], plot.decades(1, 100))


class ProgressTest(unittest.TestCase):
    def test_reads_a_snapshot_as_protobuf_prints_it(self):
        totals = {"up": {}, "loss": None}
        snapshot = {"seconds_per_round": 1.5, "job": {"rounds_total": 40, "rounds_committed": 10, "epsilon_floor": 2.5},
                    "round": {"round": {"job": "demand", "number": 11}, "phase": "ROUND_PHASE_COLLECTING", "stores_selected": 12,
                              "stores_trained": 12, "stores_collected": 7, "bytes_up": "140420", "metrics": {"loss": 0.25}}}
        view = programs.view_of(snapshot, totals)
        self.assertEqual(("collecting", 7, 12, 140420), (view["phase"], view["stores_in"], view["stores_asked"], view["bytes_up"]))
        self.assertEqual(45.0, progress.eta_seconds(view))
        self.assertIn("loss 0.2500", progress.snapshot_text(view))

    def test_a_job_without_a_round_yet(self):
        view = programs.view_of({"job": {"rounds_total": 4, "rounds_committed": 0, "epsilon_floor": 0}}, {"up": {}, "loss": None})
        self.assertEqual("waiting", view["phase"])
        self.assertIsNone(progress.eta_seconds(view))


class ScoreTest(unittest.TestCase):
    def test_several_trainings_of_a_store_are_averaged_and_what_needs_no_model_stays(self):
        scores = [{"examples": 9, "rmse": {"model": value, "naive": 0.75}} for value in (0.25, 0.5, 0.75)]
        self.assertEqual({"examples": 9, "rmse": {"model": 0.5, "naive": 0.75}},
                         demo.mean_score(scores, [descriptions.Measure("rmse", "RMSE")]))


class ProcessesTest(unittest.TestCase):
    def test_everything_started_is_stopped_children_too(self):
        with tempfile.TemporaryDirectory() as folder:
            fleet = processes.Processes(folder)
            # One that heeds SIGTERM, and one that ignores it and has a child that does too.
            fleet.start("good", ["sleep", "600"])
            fleet.start("stubborn", ["bash", "-c", "trap '' TERM; sleep 600 & echo $!; wait; wait"])
            while not fleet.log_tail("stubborn"):
                os.sched_yield()
            child, pids = int(fleet.log_tail("stubborn")), [process.pid for process in fleet.running.values()]
            fleet.stop(grace=0.3)
            for pid in pids:
                self.assertFalse(alive(pid), pid)
            while alive(child):  # Killed, but nobody waits for it; what survived would meet the alarm below.
                os.sched_yield()

    def test_a_port_to_listen_at_is_none_that_an_outgoing_call_could_take(self):
        for port in (processes.free_port() for _ in range(20)):
            self.assertNotIn(port, processes.outgoing_ports())
            with socket.socket() as listener:
                listener.bind(("127.0.0.1", port))

    def test_an_early_end_is_told_with_its_last_words(self):
        with tempfile.TemporaryDirectory() as folder:
            fleet = processes.Processes(folder)
            fleet.start("agent", ["bash", "-c", "echo port 7400 is in use; exit 3"])
            fleet.running["agent"].wait()
            with self.assertRaisesRegex(processes.DemoError, "code 3(.|\n)*port 7400 is in use"):
                fleet.check()


class CommandLineTest(unittest.TestCase):
    def test_a_missing_program_or_folder_is_one_clear_line(self):
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "stores", "s1"))
            done = subprocess.run([sys.executable, "-B", os.path.join(ROOT, "cli", "demo", "demo.py"), "--data", folder],
                                  capture_output=True, text=True, check=False, env={**os.environ, "TMPDIR": folder})
            self.assertEqual(1, done.returncode)
            self.assertIn("tables.toml is missing", done.stderr)
            self.assertNotIn("Traceback", done.stderr)

    def test_an_unknown_plan_is_refused_with_those_there_are(self):
        done = subprocess.run([sys.executable, "-B", os.path.join(ROOT, "cli", "demo", "demo.py"), "--plan", "nothing"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(2, done.returncode)
        self.assertIn("neither demand nor offers", done.stderr)

    def test_wrong_numbers_are_refused(self):
        done = subprocess.run([sys.executable, "-B", os.path.join(ROOT, "cli", "demo", "demo.py"), "--stores", "0"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(2, done.returncode)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


if __name__ == "__main__":
    signal.alarm(100)
    unittest.main()
