"""Holds the alert rules to the programs: what a rule asks for is a metric that a program has. A misspelt one never fires."""
import os
import re
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
HISTOGRAM_PARTS = ("_bucket", "_sum", "_count")
PROGRAMS = ("coordinator", "agent")


def sources(*folders):
    for folder in folders:
        for path, _, names in os.walk(os.path.join(ROOT, folder)):
            for name in names:
                if name.endswith((".cc", ".h")):
                    with open(os.path.join(path, name), encoding="utf-8") as file:
                        yield file.read()


def names_of_programs():
    """Every metric's name in the programs' code. Those of a process are written without the program's prefix."""
    names = set()
    for text in sources("coordinator", "store-agent"):
        names.update(re.findall(r'"(aisle_(?:coordinator|agent)_\w+)"', text))
    for text in sources("base/net"):
        names.update(f"aisle_{program}_{name}" for name in re.findall(r'\bOne\("(\w+)"', text) for program in PROGRAMS)
    return names


def names_asked_for(rules):
    """The names in the rules, but for comments: the expressions' and the texts'."""
    return set(re.findall(r"\baisle_\w+", re.sub(r"(?m)^\s*#.*$", "", rules)))


def unknown(rules, known):
    return sorted(name for name in names_asked_for(rules) - known
                  if not any(name.endswith(part) and name[:-len(part)] in known for part in HISTOGRAM_PARTS))


class AlertNamesTest(unittest.TestCase):
    def setUp(self):
        with open(os.path.join(ROOT, "docker", "prometheus", "rules.yml"), encoding="utf-8") as file:
            self.rules = file.read()

    def test_every_name_is_a_metric_of_a_program(self):
        self.assertGreater(len(names_asked_for(self.rules)), 10)
        self.assertEqual([], unknown(self.rules, names_of_programs()))

    def test_a_misspelt_name_is_seen(self):
        misspelt = self.rules.replace("aisle_coordinator_jobs_active >", "aisle_coordinator_job_active >")
        self.assertEqual(["aisle_coordinator_job_active"], unknown(misspelt, names_of_programs()))

    def test_the_parts_of_a_histogram_are_known(self):
        known = {"aisle_coordinator_round_duration_seconds"}
        self.assertEqual([], unknown("rate(aisle_coordinator_round_duration_seconds_bucket[5m]) > 1", known))
        self.assertEqual(["aisle_coordinator_rounds_sum"], unknown("aisle_coordinator_rounds_sum > 1", known))


if __name__ == "__main__":
    unittest.main()
