"""Bad links as far as CI has time for them: the same as ./dev link-trial --part."""
import os
import unittest

import bad_links
import namespaces
from chain import ROOT

BIN = os.path.join(os.environ.get("AISLE_BUILD", os.path.join(ROOT, "build", "dev")), "bin")


class Links(unittest.TestCase):
    def test_cut_links_cost_no_round_and_hardly_a_byte(self):
        bad_links.run(BIN, bad_links.PART, patience=120)

    def test_a_store_keeps_to_its_bytes_a_day(self):
        bad_links.budget(BIN, bad_links.PART)

    def test_slow_and_lossy_links_of_the_kernel_cost_no_round(self):
        if why := namespaces.missing():
            self.skipTest(why)
        namespaces.run(BIN, namespaces.PART)


if __name__ == "__main__":
    unittest.main()
