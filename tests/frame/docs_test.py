"""What the documentation says about the code is true: pictures, paths, links, commands."""
import glob
import os
import re
import subprocess
import unittest

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
PAGES = sorted(glob.glob(f"{ROOT}/*.md") + glob.glob(f"{ROOT}/docs/**/*.md", recursive=True))
TOP = ("base", "aggregation", "privacy", "plans", "proto", "coordinator", "store-agent", "cli", "bench", "config", "cmake",
       "docs", "tests", "docker", ".ci")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


class DocsTest(unittest.TestCase):
    def test_the_picture_of_a_round_is_the_table_of_its_moves(self):
        table = set(re.findall(r'PhaseName::k(\w+),\s*PhaseName::k(\w+),\s*"([^"]+)"',
                               read("coordinator/round/transitions.h")))
        picture = set(re.findall(r"^\s*(\w+) --> (\w+) : (.+)$", read("docs/architecture.md"), re.MULTILINE))
        self.assertTrue(table)
        self.assertEqual(table, picture)

    def test_paths_in_backquotes_exist(self):
        for page in PAGES:
            for span in re.findall(r"`([^`\s]+)`", read(page)):
                path = span.rstrip("/")
                if path.split("/")[0] in TOP and not re.search(r"[*<>{}]", path) and ("/" in path or span.endswith("/")):
                    with self.subTest(page=os.path.relpath(page, ROOT), path=path):
                        self.assertTrue(os.path.exists(os.path.join(ROOT, path)))

    def test_links_between_pages_resolve(self):
        for page in PAGES:
            for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", read(page)):
                if "://" not in target:
                    with self.subTest(page=os.path.relpath(page, ROOT), target=target):
                        self.assertTrue(os.path.exists(os.path.join(os.path.dirname(page), target)))

    def test_every_decision_is_in_the_index(self):
        index = read("docs/decisions/README.md")
        for page in glob.glob(f"{ROOT}/docs/decisions/0*.md"):
            self.assertIn(f"({os.path.basename(page)})", index)

    def test_commands_of_dev_that_pages_name_exist(self):
        known = subprocess.run([f"{ROOT}/dev", "--help"], check=True, capture_output=True, text=True).stdout
        for page in PAGES:
            for command in set(re.findall(r"\./dev ([a-z][a-z-]*)", read(page))):
                with self.subTest(page=os.path.relpath(page, ROOT), command=command):
                    self.assertRegex(known, rf"(?m)^  {command} ")


class PrivacyTest(unittest.TestCase):
    def test_every_test_that_the_privacy_page_names_exists(self):
        code = "".join(read(path) for path in glob.glob(f"{ROOT}/tests/**/*.cc", recursive=True))
        tests = {f"{suite}.{name}" for suite, name in
                 re.findall(r"^(?:TEST|TEST_F|TEST_P|RC_GTEST_PROP)\((\w+),\s*(\w+)", code, re.MULTILINE)}
        named = re.findall(r"`(\w+\.[A-Z]\w+)`", read("docs/privacy.md"))
        self.assertGreater(len(named), 50)
        for name in named:
            with self.subTest(test=name):
                self.assertIn(name, tests)


class AlertsTest(unittest.TestCase):
    def test_every_metric_that_rules_and_pages_name_exists(self):
        code = "".join(open(path, encoding="utf-8").read() for folder in ("base", "coordinator", "store-agent")
                       for path in glob.glob(f"{ROOT}/{folder}/**/*.cc", recursive=True))
        # base/net/process_metrics.cc makes these of the program's name.
        for program in ("coordinator", "agent"):
            code += "".join(f"aisle_{program}_{name} " for name in
                            ("resident_bytes", "resident_peak_bytes", "cpu_seconds_total", "open_files", "threads", "build_info"))
        for page in ("docker/prometheus/rules.yml", "docker/grafana/aisle.json", "docs/operations.md"):
            for name in set(re.findall(r"aisle_(?:coordinator|agent)_\w+[a-z]", read(page))):
                with self.subTest(page=page, metric=name):
                    # A histogram makes three series of its name.
                    self.assertIn(re.sub(r"_(?:sum|count|bucket)$", "", name), code)

    def test_every_alert_has_its_page_in_the_runbook(self):
        runbook = read("docs/operations.md")
        for alert in re.findall(r"alert: (\w+)", read("docker/prometheus/rules.yml")):
            with self.subTest(alert=alert):
                self.assertIn(f"### {alert}\n", runbook)
                self.assertIn(f"docs/operations.md#{alert.lower()}\n", read("docker/prometheus/rules.yml"))

    def test_every_alert_says_what_it_means_and_then_what_to_do(self):
        runbook = read("docs/operations.md")
        alerts = re.findall(r"alert: (\w+)", read("docker/prometheus/rules.yml"))
        for alert in alerts:
            with self.subTest(alert=alert):
                section = runbook.split(f"### {alert}\n", 1)[1].split("\n### ", 1)[0]
                self.assertRegex(section, r"(?s)\A\n\*\*Means:\*\* \w.*\n\n\*\*Do:\*\*\s+\S")
        sections = re.findall(r"(?m)^### (Aisle\w+)$", runbook)
        self.assertEqual(sorted(alerts), sorted(sections), "a section of an alert that is gone")


class DevTest(unittest.TestCase):
    def dev(self, *arguments):
        return subprocess.run([f"{ROOT}/dev", *arguments], capture_output=True, text=True, check=False)

    def test_every_command_has_help(self):
        commands = re.findall(r"(?m)^  ([a-z]+) ", self.dev("--help").stdout)
        self.assertGreaterEqual(len(commands), 10)
        for command in commands:
            with self.subTest(command=command):
                shown = self.dev(command, "--help")
                self.assertEqual(0, shown.returncode)
                self.assertIn(f"./dev {command}", shown.stdout)

    def test_wrong_usage_is_told_apart_from_failure(self):
        for arguments in (["nonsense"], ["build", "--preset", "nonsense"], ["setup", "--nonsense"], ["bench", "--json"], []):
            with self.subTest(arguments=arguments):
                self.assertEqual(2, self.dev(*arguments).returncode)

    def test_the_package_list_gives_every_package_a_group_once(self):
        lines = [line.split(maxsplit=2) for line in read("cmake/packages.txt").splitlines() if line and line[0] != "#"]
        self.assertLessEqual({line[0] for line in lines}, {"build", "check"})
        names = [line[1] for line in lines]
        self.assertEqual(len(names), len(set(names)))


if __name__ == "__main__":
    unittest.main()
