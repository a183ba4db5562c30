"""The demo's data preparation: the .rda reader on hand-made files, and on the real data against a CSV copy of a part."""
import csv
import gzip
import os
import struct
import sys
import tempfile
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "cli", "demo"))
import prepare_oj  # noqa: E402
import rdata  # noqa: E402

SYMBOL, PAIRLIST, CHARS, INTEGER, REAL, STRINGS, LIST, NIL, REFERENCE, ALTREP = 1, 2, 9, 13, 14, 16, 19, 254, 255, 238


def integer(*values):
    return struct.pack(f">{len(values)}i", *values)


def chars(text):
    return integer(CHARS, -1) if text is None else integer(CHARS, len(text)) + text.encode()


def symbol(text):
    return integer(SYMBOL) + chars(text)


def strings(*values):
    return integer(STRINGS, len(values)) + b"".join(map(chars, values))


def rda(items, version=2):
    head = b"RDX%d\nX\n" % version + integer(version, 0x40202, 0x20300)
    if version == 3:
        head += integer(5) + b"UTF-8"
    body = b"".join(integer(PAIRLIST | 0x400) + symbol(name) + value for name, value in items)
    return head + body + integer(NIL)


class RDataTest(unittest.TestCase):
    def load(self, raw):
        with tempfile.NamedTemporaryFile() as file:
            file.write(raw)
            file.flush()
            return rdata.load(file.name)

    def test_reads_vectors_and_their_missing_values(self):
        na_real = struct.pack(">II", 0x7FF00000, 1954)
        raw = rda([("i", integer(INTEGER, 3, 1, -2147483648, 3)),
                   ("r", integer(REAL, 2) + struct.pack(">d", 0.5) + na_real),
                   ("s", strings("a", None))])
        self.assertEqual({"i": [1, None, 3], "r": [0.5, None], "s": ["a", None]}, self.load(raw))

    def test_reads_a_data_frame_as_columns(self):
        frame = (integer(LIST | 0x200, 2) + integer(INTEGER, 2, 7, 8) + integer(REAL, 2) + struct.pack(">2d", 1.5, 2.5)
                 + integer(PAIRLIST | 0x400) + symbol("names") + strings("week", "price")
                 + integer(PAIRLIST | 0x400) + symbol("class") + strings("data.frame") + integer(NIL))
        self.assertEqual({"f": {"week": [7, 8], "price": [1.5, 2.5]}}, self.load(rda([("f", frame)])))

    def test_a_symbol_met_twice_is_a_reference(self):
        named = lambda tag: (integer(LIST | 0x200, 1) + integer(INTEGER, 1, 5) + integer(PAIRLIST | 0x400) + tag
                             + strings("x") + integer(NIL))
        raw = rda([("a", named(symbol("names"))), ("b", named(integer(REFERENCE | 2 << 8)))])
        self.assertEqual({"a": {"x": [5]}, "b": {"x": [5]}}, self.load(raw))

    def test_reads_version_3_and_its_compact_sequences(self):
        info = integer(PAIRLIST) + symbol("compact_intseq") + integer(PAIRLIST) + symbol("base") + integer(NIL)
        sequence = integer(ALTREP) + info + integer(REAL, 3) + struct.pack(">3d", 4, 10, 1) + integer(NIL)
        self.assertEqual({"n": [10, 11, 12, 13]}, self.load(rda([("n", sequence)], version=3)))

    def test_reads_compressed_files(self):
        raw = rda([("i", integer(INTEGER, 1, 9))])
        import bz2, lzma
        for compress in (gzip.compress, bz2.compress, lzma.compress):
            self.assertEqual({"i": [9]}, self.load(compress(raw)))

    def test_refuses_what_is_cut_or_foreign(self):
        raw = rda([("i", integer(INTEGER, 2, 1, 2))])
        for length in range(len(raw)):
            with self.assertRaises(rdata.RDataError, msg=f"cut at {length}"):
                self.load(raw[:length])
        with self.assertRaises(rdata.RDataError):
            self.load(b"PK\x03\x04 something else entirely")
        with self.assertRaisesRegex(rdata.RDataError, "type 4"):
            self.load(rda([("environment", integer(4, 0))]))


class SplitTest(unittest.TestCase):
    def test_is_the_same_every_time_and_disjoint(self):
        numbers = list(range(2, 138))
        train, held_out = prepare_oj.split(numbers, 12, 6)
        self.assertEqual((train, held_out), prepare_oj.split(list(reversed(numbers)), 12, 6))
        self.assertEqual((12, 6), (len(train), len(held_out)))
        self.assertFalse(set(train) & set(held_out))

    def test_more_stores_keep_the_same_ones_held_out(self):
        numbers = list(range(2, 138))
        self.assertEqual(prepare_oj.split(numbers, 12, 6)[1], prepare_oj.split(numbers, 40, 6)[1])
        self.assertLess(set(prepare_oj.split(numbers, 12, 6)[0]), set(prepare_oj.split(numbers, 40, 6)[0]))

    def test_says_how_many_stores_there_are(self):
        with self.assertRaisesRegex(prepare_oj.PreparationError, "the data has 3"):
            prepare_oj.split([1, 2, 3], 3, 1)


class RealDataTest(unittest.TestCase):
    """Needs the package's file in the cache (any earlier ./dev demo) and the trial data."""

    def setUp(self):
        self.rda = os.path.join(prepare_oj.cache_folder(), "orangeJuice.rda")
        self.trial = os.path.join(os.environ.get("AISLE_TEST_DATA") or os.path.join(ROOT, "..", "shared", "data"), "oj")
        if not os.path.exists(self.rda) or not os.path.isdir(self.trial):
            self.skipTest("orangeJuice.rda isn't in the cache, or there is no trial data")

    def rows(self, name):
        opener = gzip.open if name.endswith(".gz") else open
        with opener(os.path.join(self.trial, name), "rt", encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)

    def test_agrees_with_the_csv_copy(self):
        stores = prepare_oj.read_orange_juice(self.rda)
        sales = {(number, row["week"], row["brand"]): row for number, tables in stores.items() for row in tables["sales"]}
        checked = 0
        for row in self.rows("oj_sales.csv.gz"):
            ours = sales[int(row["store"]), int(row["week"]), int(row["brand"])]
            for name, theirs in (("units_log", "logmove"), ("price", "price"), ("deal", "deal"), ("feature", "feat")):
                self.assertAlmostEqual(ours[name], float(row[theirs]), delta=1e-5)
            checked += 1
        self.assertGreater(checked, 70000)

    def test_shelf_and_traits_agree_too(self):
        stores = prepare_oj.read_orange_juice(self.rda)
        shelf = {(number, row["week"]): row for number, tables in stores.items() for row in tables["shelf"]}
        for row in self.rows("oj_store_week_prices.csv.gz"):
            for brand in range(1, 12):
                self.assertAlmostEqual(shelf[int(row["store"]), int(row["week"])][f"price{brand}"],
                                       float(row[f"price{brand}"]), delta=1e-6)
        for row in self.rows("oj_store_demographics.csv"):
            for name in prepare_oj.TRAITS:
                self.assertAlmostEqual(stores[int(row["STORE"])]["traits"][0][name], float(row[name.upper()]), delta=1e-5)

    def test_writes_the_chains_layout_and_nothing_else(self):
        with tempfile.TemporaryDirectory() as folder:
            train, held_out = prepare_oj.prepare(folder, 2, 1, self.rda)
            self.assertEqual(["holdout", "stores", "tables.toml"], sorted(os.listdir(folder)))
            self.assertEqual(train, sorted(os.listdir(os.path.join(folder, "stores"))))
            self.assertEqual(held_out, os.listdir(os.path.join(folder, "holdout")))
            self.assertEqual(["sales.csv", "shelf.csv", "traits.csv"],
                             sorted(os.listdir(os.path.join(folder, "stores", train[0]))))


if __name__ == "__main__":
    unittest.main()
