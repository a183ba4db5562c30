"""Covered lines by folder and file, from a build with --coverage whose tests have run: coverage_report.py BUILD [--json FILE]

Runs gcov on every object file's notes; counts a line of ours as covered if any object ran it.
"""
import argparse
import concurrent.futures
import gzip
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OURS = ("base", "aggregation", "privacy", "plans", "proto/convert", "coordinator", "store-agent", "cli")


def notes(build):
    for folder, _, names in os.walk(build):
        for name in names:
            if name.endswith(".gcda"):
                yield os.path.join(folder, name)


def lines_of(data):
    """{file of ours: {line: times run}} of one object."""
    with tempfile.TemporaryDirectory() as work:
        done = subprocess.run(["gcov", "--json-format", "--preserve-paths", data], cwd=work, capture_output=True, check=False)
        if done.returncode != 0:
            return {}
        found = {}
        for name in os.listdir(work):
            with gzip.open(os.path.join(work, name), "rt", encoding="utf-8") as file:
                report = json.load(file)
            for entry in report["files"]:
                path = os.path.relpath(os.path.join(report["current_working_directory"], entry["file"]), ROOT)
                if path.startswith(tuple(folder + "/" for folder in OURS)):
                    found[path] = {line["line_number"]: line["count"] for line in entry["lines"]}
        return found


def collect(build):
    covered = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for found in pool.map(lines_of, notes(build)):
            for path, lines in found.items():
                merged = covered.setdefault(path, {})
                for number, count in lines.items():
                    merged[number] = merged.get(number, 0) + count
    return {path: (sum(1 for count in lines.values() if count), len(lines)) for path, lines in covered.items()}


def folder_of(path):
    return "/".join(path.split("/")[:2]) if path.count("/") > 1 else path.split("/")[0]


def report(files):
    folders = {}
    for path, (run, total) in files.items():
        before = folders.get(folder_of(path), (0, 0))
        folders[folder_of(path)] = (before[0] + run, before[1] + total)
    everything = (sum(run for run, _ in files.values()), sum(total for _, total in files.values()))
    for name, (run, total) in [*sorted(folders.items()), ("all", everything)]:
        print(f"{name:<32}{run:>7} of {total:>6} lines {100 * run / max(1, total):>6.1f} %")
    print("\nLeast covered:")
    for path, (run, total) in sorted(files.items(), key=lambda item: item[1][0] - item[1][1])[:15]:
        print(f"  {path:<48}{total - run:>5} lines never run of {total}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("build")
    parser.add_argument("--json")
    arguments = parser.parse_args()
    files = collect(os.path.abspath(arguments.build))
    if not files:
        sys.exit(f"coverage_report: no test has run in {arguments.build}")
    report(files)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({path: {"run": run, "lines": total} for path, (run, total) in sorted(files.items())}, file, indent=1)


if __name__ == "__main__":
    main()
