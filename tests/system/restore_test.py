"""Real processes, real TLS, real disks: a backup of the coordinator at work, `kill -9` and the loss of its disk, the backup restored
elsewhere. The agents notice nothing but a pause, the job ends, and its model is the undisturbed one's, bit for bit."""
import os
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import chain as chains  # noqa: E402

BIN = os.path.join(os.environ.get("AISLE_BUILD", os.path.join(chains.ROOT, "build", "dev")), "bin")
STORES, ROUNDS = 3, 4


class Restore(unittest.TestCase):
    def setUp(self):
        if not os.path.exists(os.path.join(BIN, "aisle-worker")):
            self.skipTest("aisle-worker isn't built")
        self.folder = tempfile.mkdtemp(prefix="aisle-restore-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.chain = chains.Chain(self.folder, BIN, STORES)
        self.addCleanup(self.chain.stop)
        self.data = os.path.join(self.chain.box(chains.COORDINATOR), "data")

    def job(self, job):
        return self.chain.aisle.job(job)

    def wait_for_version(self, job, version):
        self.chain.wait_for(f"{job}@{version}", lambda: int(self.job(job)["model_version"]) >= version)

    def run_undisturbed(self, job):
        self.chain.submit(chains.SMALL, job, ROUNDS)
        self.chain.wait_for(f"{job} to end", lambda: self.job(job)["state"] == "JOB_STATE_FINISHED")
        return self.chain.model(job)

    def lose_and_restore(self, backup):
        chain = self.chain
        chain.kill(chains.COORDINATOR)
        shutil.rmtree(self.data)
        chain.aisle.run("restore", backup, "--data", self.data)
        chain.start(chains.COORDINATOR)
        chain.wait_for("the restored coordinator to answer", lambda: chain.is_back(chains.COORDINATOR))

    def test_stores_carry_on_to_the_very_same_model(self):
        chain, aisle = self.chain, self.chain.aisle
        chain.start_undisturbed()
        undisturbed = self.run_undisturbed("before")
        chain.submit(chains.SMALL, "after", ROUNDS)
        self.wait_for_version("after", 1)
        backup = os.path.join(self.folder, "backup")
        aisle.run("backup", backup, *aisle.connection())
        self.wait_for_version("after", 2)
        known = {(round["round"]["job"], round["round"]["number"]) for round in aisle.rounds("after")}
        self.lose_and_restore(backup)
        chain.wait_for("the job to end", lambda: self.job("after")["state"] == "JOB_STATE_FINISHED", patience=120)

        self.assertEqual(undisturbed, chain.model("after"))
        rounds = aisle.rounds("after")
        later = [round["round"]["number"] for round in rounds if round["round"]["number"] > 600]
        self.assertTrue(later, "the job was over before the backup was restored")
        self.assertFalse(known & {("after", number) for number in later}, "a round's number was used twice")
        self.assertGreater(int(self.job("after")["model_version"]), 600)
        self.assertEqual(undisturbed, chain.model("before"), "what the backup had is there")
        for store in chain.stores:
            aisle.run("ledger", "verify", "--data", os.path.join(chain.box(store), "data"))


if __name__ == "__main__":
    unittest.main()
