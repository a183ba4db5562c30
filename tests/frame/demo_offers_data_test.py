"""The offers plan's chains: the made-up one is the same for the same seed and shows the marginals it is said to follow;
the real one is sorted into categories, homes and stores by hand-made rows, and by the data itself where it is at hand."""
import collections
import csv
import datetime
import os
import sys
import tempfile
import tomllib
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "cli", "demo"))
import descriptions  # noqa: E402
import line_items  # noqa: E402
import make_offers  # noqa: E402
import prepare_completejourney as journey  # noqa: E402

REAL = os.path.join(os.environ.get("AISLE_TEST_DATA") or os.path.join(ROOT, "..", "shared", "data"), "completejourney")


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def files_of(folder):
    """{path within the folder: bytes}."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, folder)] = file.read()
    return found


class MadeUpChainTest(unittest.TestCase):
    def made(self, *arguments, **options):
        with tempfile.TemporaryDirectory() as folder:
            make_offers.prepare(folder, *arguments, **options)
            return files_of(folder)

    def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(self):
        once = self.made(2, 1, households=5)
        self.assertEqual(once, self.made(2, 1, households=5))
        self.assertNotEqual(once, self.made(2, 1, households=5, seed="another"))

    def test_a_store_is_the_same_however_many_there_are(self):
        few, many = self.made(1, 0, households=5), self.made(3, 1, households=5)
        path = os.path.join("stores", "store-001", "lines.csv")
        self.assertEqual(few[path], many[path])

    def test_writes_the_chains_layout_and_says_that_it_is_made_up(self):
        made = self.made(2, 1, households=3)
        self.assertEqual({"tables.toml", "stores/store-001/lines.csv", "stores/store-002/lines.csv", "holdout/store-003/lines.csv"},
                         set(made))
        self.assertIn(b"SYNTHETIC", made["tables.toml"])

    def test_tables_declare_what_the_plan_reads(self):
        lines = tomllib.loads(line_items.tables_toml("this"))["lines"]
        self.assertEqual("household", lines["customer"])
        with open(os.path.join(ROOT, "plans", "offers", "plan.toml"), "rb") as file:
            plan = tomllib.load(file)
        for column, need in plan["tables"]["lines"]["columns"].items():
            self.assertTrue(lines["customer"] == column if need["type"] == "customer" else lines["columns"][column]["type"] == need["type"])
        self.assertEqual([1, len(line_items.CATEGORIES)], plan["tables"]["lines"]["columns"]["category"]["range"])

    def test_rows_are_in_order_and_each_has_its_number(self):
        with tempfile.TemporaryDirectory() as folder:
            make_offers.prepare(folder, 1, 0, households=20)
            rows = read(os.path.join(folder, "stores", "store-001", "lines.csv"))
        self.assertEqual([str(number) for number in range(1, len(rows) + 1)], [row["line"] for row in rows])
        self.assertEqual(sorted(row["sold_at"] for row in rows), [row["sold_at"] for row in rows])


class MarginalsTest(unittest.TestCase):
    """Eight stores' rows of the shipped seed: always the same ones, so the tolerances say how far they are, not how likely."""
    @classmethod
    def setUpClass(cls):
        cls.rows = [row for number in range(1, 9) for row in make_offers.store_rows(make_offers.SEED, number, 300)]

    def shares(self, values):
        counts = collections.Counter(values)
        return {value: 100 * count / sum(counts.values()) for value, count in counts.items()}

    def test_categories_sell_as_they_should_within_a_third_or_half_a_percent(self):
        came = self.shares(category for _, _, category, _ in self.rows)
        for category, share in enumerate(make_offers.SHARES, 1):
            wanted = 100 * share / sum(make_offers.SHARES)
            self.assertAlmostEqual(came[category], wanted, delta=max(0.5, wanted / 3), msg=line_items.CATEGORIES[category - 1])

    def test_most_visits_are_short(self):
        visits = collections.Counter((household, sold_at[:10]) for sold_at, household, _, _ in self.rows if household)
        came = self.shares(visits.values())
        for size, wanted in enumerate(make_offers.BASKET_SIZES[:4], 1):
            self.assertAlmostEqual(came[size], wanted, delta=5)  # Lines without a card shorten some.

    def test_days_and_hours_have_their_rhythm(self):
        days = self.shares(datetime.date.fromisoformat(sold_at[:10]).weekday() for sold_at, *_ in self.rows)
        hours = self.shares(int(sold_at[11:13]) for sold_at, *_ in self.rows)
        for weekday, wanted in enumerate(make_offers.WEEKDAYS):
            self.assertAlmostEqual(days[weekday], wanted, delta=1.5)
        for hour, wanted in enumerate(make_offers.HOURS):
            self.assertAlmostEqual(hours[hour], 100 * wanted / sum(make_offers.HOURS), delta=1)

    def test_few_households_have_most_of_the_rows(self):
        counts = sorted(collections.Counter(household for _, household, _, _ in self.rows if household).values())
        self.assertTrue(15 <= counts[len(counts) // 2] <= 25, "the median household")
        self.assertGreater(counts[len(counts) * 9 // 10], 55)
        self.assertLessEqual(counts[-1], make_offers.LINES_MAX)

    def test_some_lines_have_no_household(self):
        self.assertAlmostEqual(make_offers.WITHOUT_CARD, sum(row[1] is None for row in self.rows) / len(self.rows), delta=0.02)

    def test_tastes_last(self):
        """What a household bought most in one half of the year, it buys more than others do in the other half."""
        halves = collections.defaultdict(lambda: (collections.Counter(), collections.Counter()))
        for sold_at, household, category, _ in self.rows:
            if household:
                halves[household][sold_at >= "2024-07-01"][category] += 1
        again, by_popularity = [], []
        for earlier, later in halves.values():
            if earlier.total() >= 10 and later:
                favourite = earlier.most_common(1)[0][0]
                again.append(later[favourite] / later.total())
                by_popularity.append(make_offers.SHARES[favourite - 1] / sum(make_offers.SHARES))
        self.assertGreater(len(again), 500)
        self.assertGreater(sum(again), 1.5 * sum(by_popularity))


PRODUCTS = """\
product_id,manufacturer_id,department,brand,product_category,product_type,package_size
1.0,1,GROCERY,National,FLUID MILK PRODUCTS,,
2,1,GROCERY,National,SOUP,,
3,1,FUEL,National,FUEL,,
"""
TRANSACTIONS = """\
household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,coupon_match_disc,week,transaction_timestamp
10,300,1,1,1,2.5,0,0,0,1,2017-01-03 09:00:00
10,300,1,2,1,1.25,0,0,0,1,2017-01-03T09:00:00Z
10,301,2,2,1,1.0,0,0,0,2,2017-01-10 09:00:00
10,301,2,3,1,20.0,0,0,0,2,2017-01-10 09:00:00
11,301,3,1,1,,0,0,0,2,2017-01-10 10:00:00
12,302,4,99,1,1,0,0,0,2,2017-01-10 10:00:00
13,302,5,1,1,1,0,0,0,2,2017-01-10 10:00:00
"""


class CompleteJourneyTest(unittest.TestCase):
    def source(self, products=PRODUCTS, transactions=TRANSACTIONS):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        for name, content in (("products", products), ("transactions", transactions)):
            with open(os.path.join(place.name, f"{name}.csv"), "w", encoding="utf-8") as file:
                file.write(content)
        return place.name

    def test_every_household_goes_to_the_store_of_most_of_its_lines(self):
        homes = journey.rows_by_home(journey.read_lines(self.source()))
        self.assertEqual({300: 3, 301: 1, 302: 1}, {store: len(rows) for store, rows in homes.items()})
        self.assertEqual({10}, {row[1] for row in homes[300]})
        self.assertIn(("2017-01-03 09:00:00", 10, 2, 250), homes[300])
        self.assertIn(("2017-01-10 10:00:00", 11, 2, 0), homes[301])  # An empty value is nothing paid.

    def test_of_equal_stores_the_smaller_number_is_home(self):
        self.assertEqual(4, journey.home_of([(9, "", 1, 1), (4, "", 1, 1)]))

    def test_the_split_is_the_same_every_time_and_takes_the_largest(self):
        homes = {store: [("t", household, 1, 1) for household in range(store)] for store in range(1, 9)}
        train, held_out = journey.split(homes, 3, 2)
        self.assertEqual({4, 5, 6, 7, 8}, {*train, *held_out})
        self.assertEqual((train, held_out), journey.split(homes, 3, 2))
        with self.assertRaisesRegex(journey.PreparationError, "the data has 8"):
            journey.split(homes, 8, 1)

    def test_categories_are_found_by_product_then_department(self):
        for department, product, number in (("GROCERY", "FRZN POTATOES", 24), ("GROCERY", "FRZN SOMETHING", 6), ("PRODUCE", "POTATOES", 23),
                                            ("NUTRITION", "REFRIGERATED", 36), ("DELI", "CHEESES", 4), ("PRODUCE", "UNHEARD OF", 23)):
            self.assertEqual(number, journey.category_of(department, product), (department, product))
        for department, product in (("FUEL", "FUEL"), ("MISCELLANEOUS", "COUPON/MISC ITEMS"), ("TRAVEL & LEISURE", "")):
            self.assertIsNone(journey.category_of(department, product))

    def test_a_folder_without_the_data_is_refused_with_what_is_missing(self):
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaisesRegex(journey.PreparationError, "neither products.csv nor products.csv.gz"):
                journey.prepare(folder, os.path.join(folder, "out"), 1, 0)
        with self.assertRaisesRegex(journey.PreparationError, "no lines of goods"):
            journey.read_lines(self.source(transactions=TRANSACTIONS.splitlines()[0] + "\n"))

    @unittest.skipUnless(os.path.isdir(REAL), "the Complete Journey data isn't here")
    def test_the_real_data_gives_stores_of_households_and_every_category(self):
        with tempfile.TemporaryDirectory() as folder:
            train, held_out = journey.prepare(REAL, folder, 24, 8)
            self.assertEqual((24, 8), (len(train), len(held_out)))
            rows = [row for store in train for row in read(os.path.join(folder, "stores", store, "lines.csv"))]
        self.assertGreater(len(rows), 15000)
        self.assertEqual(36, len({row["category"] for row in rows}))
        self.assertGreater(len({row["household"] for row in rows}), 500)


class DescriptionTest(unittest.TestCase):
    def test_a_plan_is_fitted_to_the_stores_at_hand_and_nothing_else_changes(self):
        for name in ("demand", "offers"):
            with open(os.path.join(ROOT, "plans", name, "plan.toml"), encoding="utf-8") as file:
                text = file.read()
            plan, fitted = tomllib.loads(text), tomllib.loads(descriptions.fitted(text, 3, None))
            self.assertEqual((3, 3), (fitted["cohort"]["target"], fitted["cohort"]["min"]))
            self.assertEqual(24, tomllib.loads(descriptions.fitted(text, 24, None))["cohort"]["target"])
            fitted["cohort"] = plan["cohort"]
            self.assertEqual(plan, fitted)
        self.assertEqual(35, tomllib.loads(descriptions.fitted(text, 3, 35))["privacy"]["customers_per_store"])
        with self.assertRaisesRegex(descriptions.DemoError, "0 lines"):
            descriptions.fitted("[cohort]\ntarget = 3\nmin = 1\n", 3, 35)

    def test_every_described_plan_is_shipped_and_every_shipped_plan_described(self):
        shipped = {name for name in os.listdir(os.path.join(ROOT, "plans")) if os.path.exists(os.path.join(ROOT, "plans", name, "plan.toml"))}
        self.assertEqual(shipped, set(descriptions.KNOWN))

    def test_the_offers_plan_runs_in_a_chain_of_twenty_thousand_stores(self):
        contract = descriptions.privacy_of(os.path.join(ROOT, "plans", "offers"))
        self.assertLessEqual(contract["delta"] * contract["customers_per_store"] * 20000, 1)

    def test_scores_are_means_and_nothing_sold_is_said_so(self):
        sums = {"count": 4.0, **{name: 1.0 for name in ("top5", "loss", "habit_top5", "habit_loss", "popular_top5", "popular_loss")}}
        self.assertEqual({"model": 0.25, "habit": 0.25, "popular": 0.25}, descriptions.offers_score(sums)["top5"])
        with self.assertRaisesRegex(descriptions.DemoError, "nothing to judge by"):
            descriptions.offers_score({**sums, "count": 0.0})


if __name__ == "__main__":
    unittest.main()
