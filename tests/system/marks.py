"""The commit points of each program: every AISLE_COVER("commit.…") of the sources, so that a new one is killed at from its first
day on. Where no job passes a mark, the table here says why, or what else does."""
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MARK = re.compile(r'AISLE_COVER\("(commit\.[^"]+)"\)')

# Passed once in a store's life, while it joins and takes in its first rows.
JOINING_FOLDERS = ("store-agent/enrol", "store-agent/tables", "store-agent/ingest")
# In the order in which a store passes them.
JOINING_ORDER = tuple(f"commit.{mark}" for mark in (
    "store_key.before", "store_key.after", "key_check.after", "pending_key.before", "pending_key.after", "certificate.before",
    "headquarters.after", "certificate.after", "rows.before", "rows.after", "ingested.before", "ingested.after"))
WORKER_FOLDERS = ("store-agent/worker",)
# Mark -> why no trial waits for it.
ELSEWHERE = {}


def marks_in(*folders):
    """Sorted; a folder counts with all below it."""
    found = set()
    for top in folders:
        for folder, _, files in os.walk(os.path.join(ROOT, top)):
            for name in files:
                if name.endswith(".cc"):
                    with open(os.path.join(folder, name), encoding="utf-8") as file:
                        found |= set(MARK.findall(file.read()))
    return sorted(found - ELSEWHERE.keys())


def coordinator_marks():
    return marks_in("coordinator")


def worker_marks():
    return marks_in(*WORKER_FOLDERS)


def joining_marks():
    return marks_in(*JOINING_FOLDERS)


def agent_marks():
    """Passed in rounds. What stands in base/storage is passed by the agent's files."""
    return sorted(set(marks_in("store-agent", "base/storage")) - set(worker_marks()) - set(joining_marks()))


# Passed only where weights are new to the store: later jobs of the same plan find them in the cache.
OF_NEW_WEIGHTS = ("commit.cache.",)
# Passed once by a job rather than in each of its rounds, or even less.
RARE = ("commit.job.", "commit.job_ended.", *OF_NEW_WEIGHTS)
