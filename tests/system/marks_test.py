"""The commit points of the sources, those that the trial knows, and those of the page are the same."""
import os
import random
import re
import unittest

import marks
import trial


def expanded(cell):
    """`commit.a.before`, `.after` -> commit.a.before, commit.a.after."""
    names = []
    for span in re.findall(r"`(commit(?:\.\w+)+|\.\w+)`", cell):
        names.append(names[-1].rsplit(".", 1)[0] + span if span.startswith(".") else span)
    return names


class MarksTest(unittest.TestCase):
    every = set(marks.marks_in("base", "coordinator", "store-agent"))

    def test_each_belongs_to_one_program_and_one_part_of_a_life(self):
        parts = (marks.coordinator_marks(), marks.agent_marks(), marks.worker_marks(), marks.joining_marks())
        self.assertEqual(sorted(mark for part in parts for mark in part), sorted(self.every))
        self.assertTrue(all(parts))

    def test_those_of_joining_have_an_order(self):
        self.assertEqual(sorted(marks.JOINING_ORDER), marks.joining_marks())

    def test_the_page_names_them_all_and_no_others(self):
        with open(os.path.join(marks.ROOT, "docs", "commit-points.md"), encoding="utf-8") as page:
            text = page.read()
        named = set()
        for line in text.splitlines():
            if line.startswith("| `commit."):
                named |= set(expanded(line.split("|")[1]))
        named |= {name for span in re.findall(r"`commit\.worker[^`]*`(?: and `\.\w+`)?", text) for name in expanded(span)}
        self.assertEqual(named, self.every)

    def test_a_whole_trial_goes_through_every_one(self):
        dealt = trial.all_marks(random.Random(5), ["s1", "s2", "s3"], cut=False)
        planned = {mark.split("#")[0] for queue in dealt.values() for mark in queue} | set(marks.JOINING_ORDER)
        self.assertEqual(planned, self.every)

    def test_a_seed_deals_them_the_same_way_again_and_another_seed_another_way(self):
        stores = ["s1", "s2", "s3"]
        self.assertEqual(trial.all_marks(random.Random(5), stores, True), trial.all_marks(random.Random(5), stores, True))
        self.assertNotEqual(trial.all_marks(random.Random(5), stores, True), trial.all_marks(random.Random(6), stores, True))


if __name__ == "__main__":
    unittest.main()
