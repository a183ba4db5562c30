"""Holds the built programs to the design: which outside library is linked where. Reads AISLE_BUILD."""
import os
import subprocess
import unittest

BUILD = os.environ["AISLE_BUILD"]

# Program -> libraries it must not ask for, by the start of their names.
FORBIDDEN = {
    "bin/aisle-coordinator": ("libtorch", "libc10", "libseccomp"),
    "bin/aisle-agent": ("libtorch", "libc10"),
    "bin/aisle-worker": ("libgrpc", "librocksdb", "libprometheus", "libcurl", "libssl"),
    "bin/aisle": ("libtorch", "libc10"),
    "alone/aisle_aggregation_alone": ("libtorch", "libgrpc", "librocksdb", "libprotobuf", "libprometheus", "libssl"),
    "alone/aisle_privacy_alone": ("libtorch", "libgrpc", "librocksdb", "libprotobuf", "libprometheus", "libssl"),
    "alone/aisle_secagg_alone": ("libtorch", "libgrpc", "librocksdb", "libprotobuf", "libprometheus", "libssl"),
    "alone/aisle_round_alone": ("libtorch", "libgrpc", "librocksdb", "libprotobuf", "libprometheus", "libssl"),
    "alone/aisle_agent_core_alone": ("libtorch", "libgrpc", "librocksdb", "libprotobuf", "libprometheus", "libssl"),
}


def asked_for(program):
    out = subprocess.run(["readelf", "-d", program], check=True, capture_output=True, text=True).stdout
    return [line.split("[")[1].rstrip("]") for line in out.splitlines() if "(NEEDED)" in line]


class LinksTest(unittest.TestCase):
    def test_no_program_asks_for_what_the_design_keeps_from_it(self):
        for program, forbidden in FORBIDDEN.items():
            path = os.path.join(BUILD, program)
            if not os.path.exists(path):
                continue  # Not part of this build, such as the worker under a sanitizer.
            with self.subTest(program=program):
                self.assertEqual([], [name for name in asked_for(path) if name.startswith(forbidden)])


if __name__ == "__main__":
    unittest.main()
