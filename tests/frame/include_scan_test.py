"""The include scan finds what it is for, and lets pass what is allowed."""
import os
import tempfile
import unittest

import include_scan


def breaches(path, *lines):
    return [why for _, why in include_scan.breaches(path, "\n".join(lines))]


class IncludeScanTest(unittest.TestCase):
    def test_mathematics_sees_no_world(self):
        for header in ("fstream", "thread", "chrono", "grpcpp/grpcpp.h", "torch/torch.h", "google/protobuf/message.h",
                       "rocksdb/db.h", "sys/socket.h", "openssl/evp.h"):
            for folder in ("aggregation", "privacy", "coordinator/round", "store-agent/agent"):
                self.assertTrue(breaches(f"{folder}/x.cc", f"#include <{header}>"), f"{folder} {header}")

    def test_arrows_point_toward_mathematics(self):
        self.assertTrue(breaches("base/x.cc", '#include "aggregation/layout.h"'))
        self.assertTrue(breaches("aggregation/x.cc", '#include "privacy/clip.h"'))
        self.assertEqual([], breaches("privacy/x.cc", '#include "aggregation/layout.h"', '#include "base/status.h"'))

    def test_pure_folders_get_the_vocabulary_without_its_adapters(self):
        self.assertTrue(breaches("privacy/x.cc", '#include "base/storage/files.h"'))
        self.assertTrue(breaches("coordinator/round/x.cc", '#include "coordinator/driver/driver.h"'))
        self.assertTrue(breaches("coordinator/round/x.cc", '#include "proto/convert/fleet.h"'))

    def test_the_two_programs_are_strangers(self):
        self.assertTrue(breaches("coordinator/fleet/x.cc", '#include "store-agent/agent/core.h"'))
        self.assertTrue(breaches("store-agent/uplink/x.cc", '#include "coordinator/round/phase.h"'))

    def test_adapters_use_their_core(self):
        self.assertEqual([], breaches("coordinator/driver/x.cc", '#include "coordinator/round/machine.h"',
                                      '#include "base/net/server.h"', "#include <grpcpp/grpcpp.h>"))

    def test_libtorch_stays_in_the_workers_cc_files(self):
        self.assertEqual([], breaches("store-agent/worker/x.cc", "#include <torch/script.h>"))
        self.assertTrue(breaches("store-agent/worker/x.h", "#include <torch/script.h>"))
        self.assertTrue(breaches("store-agent/supervisor/x.cc", "#include <torch/script.h>"))
        self.assertTrue(breaches("store-agent/ingest/x.cc", '#include "store-agent/worker/trainer.h"'))

    def test_the_worker_has_no_network_and_no_database(self):
        self.assertTrue(breaches("store-agent/worker/x.cc", "#include <rocksdb/db.h>"))
        self.assertTrue(breaches("store-agent/worker/x.cc", "#include <grpcpp/grpcpp.h>"))
        self.assertTrue(breaches("store-agent/worker/x.cc", '#include "base/net/credentials.h"'))

    def test_dice_are_refused_in_the_product_only(self):
        self.assertTrue(breaches("base/random.cc", "#include <random>"))
        self.assertTrue(breaches("privacy/noise.cc", "std::mt19937 engine;"))
        self.assertTrue(breaches("store-agent/worker/noise.cc", "auto noise = torch::randn({3});"))
        self.assertEqual([], breaches("tests/privacy/noise_test.cc", "#include <random>", "std::mt19937 engine;"))

    def test_pure_code_is_handed_the_time(self):
        self.assertTrue(breaches("coordinator/round/x.cc", "auto now = absl::Now();"))
        self.assertEqual([], breaches("coordinator/round/x.cc", "// Never calls absl::Now() itself."))

    def test_names_are_relative_to_the_root(self):
        self.assertTrue(breaches("base/x.cc", '#include "status.h"'))

    def test_scan_counts_over_a_tree(self):
        with tempfile.TemporaryDirectory() as root:
            os.makedirs(os.path.join(root, "privacy"))
            with open(os.path.join(root, "privacy", "bad.cc"), "w", encoding="utf-8") as file:
                file.write('#include <thread>\n#include "base/status.h"\n#include <fstream>\n')
            self.assertEqual(2, include_scan.scan(root))


if __name__ == "__main__":
    unittest.main()
