"""A real Prometheus scrapes a real coordinator and a real agent that has joined it: every series comes through, and promtool
finds nothing to say about them."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "cli", "demo"))
import settings  # noqa: E402
from processes import Processes, free_port  # noqa: E402
from programs import Aisle  # noqa: E402

BUILD = os.environ["AISLE_BUILD"]
PATIENCE = 60.0


def fetch(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read().decode()


class PrometheusTest(unittest.TestCase):
    def setUp(self):
        if not shutil.which("prometheus") or not os.path.exists(os.path.join(BUILD, "bin", "aisle-coordinator")):
            self.skipTest("prometheus or aisle-coordinator isn't here")
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.processes = Processes(os.path.join(self.folder, "logs"))
        self.addCleanup(self.processes.stop)
        self.ports = {"aisle-coordinator": free_port(), "aisle-agent": free_port()}
        self.prometheus_port = free_port()
        self.aisle = Aisle(os.path.join(BUILD, "bin"), os.path.join(self.folder, "chain"), f"127.0.0.1:{free_port()}")
        self.start_coordinator()
        self.start_agent()

    def start_coordinator(self):
        self.aisle.init("test")
        self.processes.start("coordinator", [self.aisle.program("aisle-coordinator"), "--config",
                                             settings.coordinator(self.aisle.chain, self.ports["aisle-coordinator"])])
        self.wait_for("the coordinator", lambda: fetch(self.endpoint("aisle-coordinator", "readyz")))

    def start_agent(self):
        store = os.path.join(self.folder, "store")
        os.makedirs(store)
        self.aisle.add_store("leeds-01", os.path.join(store, "enrol.toml"))
        config = settings.agent(store, os.path.join(ROOT, "config", "tables.toml"), os.path.join(BUILD, "bin"),
                                self.ports["aisle-agent"], "")
        self.processes.start("agent", [self.aisle.program("aisle-agent"), "--config", config])
        # Ready it is once a check-in was answered, which headquarters holds for a while when there is nothing to do.
        self.wait_for("the agent", lambda: fetch(self.endpoint("aisle-agent", "healthz")))

    def endpoint(self, program, page):
        return f"http://127.0.0.1:{self.ports[program]}/{page}"

    def series_of(self, program):
        lines = fetch(self.endpoint(program, "metrics")).splitlines()
        return {line.split("{")[0].split(" ")[0] for line in lines if line[:1] != "#"}

    def wait_for(self, what, ask):
        """Until `ask` gives something true. No test of speed: the limit is for a machine that is stuck."""
        give_up_at, error = time.monotonic() + PATIENCE, None
        while time.monotonic() < give_up_at:
            self.processes.check()
            try:
                found = ask()
                if found:
                    return found
            except OSError as refused:
                error = refused
            time.sleep(0.05)
        self.fail(f"waited {PATIENCE} s for {what}: {error}")
        return None

    def start_prometheus(self):
        config = os.path.join(self.folder, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as file:
            json.dump({"global": {"scrape_interval": "1s"},
                       "rule_files": [os.path.join(ROOT, "docker", "prometheus", "rules.yml")],
                       "scrape_configs": [{"job_name": program, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
                                          for program, port in self.ports.items()]}, file)
        self.processes.start("prometheus", ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.folder}/tsdb",
                                            f"--web.listen-address=127.0.0.1:{self.prometheus_port}"])

    def query(self, expression):
        url = f"http://127.0.0.1:{self.prometheus_port}/api/v1/query?query={expression}"
        return json.loads(fetch(url))["data"]["result"]

    def test_a_real_prometheus_reads_every_series(self):
        names = {program: self.series_of(program) for program in self.ports}
        self.start_prometheus()
        self.wait_for("the first scrapes", lambda: [series["value"][1] for series in self.query("up")] == ["1", "1"])
        for program, marker in (("aisle-coordinator", "aisle_coordinator_stores_waiting"),
                                ("aisle-agent", "aisle_agent_certificate_expiry_seconds")):
            known = {series["metric"]["__name__"] for series in self.query(f'{{job="{program}"}}')}
            self.assertLessEqual(names[program], known)
            self.assertIn(marker, known)

    def test_names_and_help_are_as_prometheus_wants_them(self):
        for program in self.ports:
            checked = subprocess.run(["promtool", "check", "metrics"], input=fetch(self.endpoint(program, "metrics")),
                                     capture_output=True, text=True, check=False)
            self.assertEqual((0, ""), (checked.returncode, checked.stderr + checked.stdout), program)


if __name__ == "__main__":
    unittest.main()
