"""No two libraries of ours define the same function: the linker would silently take the first it meets for both."""
import glob
import os
import subprocess
import unittest

BUILD = os.environ["AISLE_BUILD"]


def defined(library):
    """Mangled names of the functions and data that a library defines for others (weak ones, such as templates, aside)."""
    listing = subprocess.run(["nm", "--defined-only", "--extern-only", library], check=False, capture_output=True, text=True)
    for line in listing.stdout.splitlines():
        parts = line.split()
        if len(parts) == 3 and parts[1] in "TDBR":
            yield parts[2]


class SymbolsTest(unittest.TestCase):
    def test_no_two_libraries_define_the_same_name(self):
        owners = {}
        libraries = glob.glob(f"{BUILD}/**/libaisle_*.a", recursive=True)
        self.assertTrue(libraries)
        for library in libraries:
            for name in defined(library):
                owners.setdefault(name, set()).add(os.path.basename(library))
        shared = {name: sorted(who) for name, who in owners.items() if len(who) > 1}
        self.assertEqual({}, shared, "defined twice; c++filt tells what they are")


if __name__ == "__main__":
    unittest.main()
