"""Makes a chain's folder for the offers plan of the Complete Journey data: real households over real stores.

    prepare_completejourney.py SOURCE DIR [--stores N] [--holdout N]

SOURCE holds transactions.csv and products.csv (or .csv.gz) of 84.51's "The Complete Journey 2.0" (CC0), or a sample of
its rows. Writes DIR/tables.toml, DIR/stores/<id>/lines.csv and DIR/holdout/<id>/lines.csv.

Every row of a household goes to its home store, the one where most of its rows are: a household then is a customer of
one store, so that a customer's epsilon is the whole household's. Stores are ranked by the households they are home to;
of the first N + holdout, which ones are held out follows from their numbers alone.
"""
import argparse
import collections
import csv
import gzip
import hashlib
import os
import sys

import line_items

# Which of line_items.CATEGORIES a product category belongs to: the first whose key begins its name, longer keys first.
BY_PRODUCT = {
    1: ("SOFT DRINKS", "WATER", "ISOTONIC"), 2: ("FLUID MILK", "MILK BY-PRODUCTS"),
    3: ("BAKED BREAD", "BREAD", "ROLLS", "REFRGRATD DOUGH", "FROZEN BREAD", "BAGELS"), 4: ("CHEESE", "CHEESES", "MISC. DAIRY"),
    5: ("BAG SNACKS", "WAREHOUSE SNACKS", "SNACK NUTS", "POPCORN", "SNKS", "NUTS", "MEAT SNACKS", "SNACKS"),
    6: ("FRZN MEAT/MEAT DINNERS", "FROZEN PIZZA", "FRZN BREAKFAST", "FROZEN MEAT", "FRZN", "FROZEN"), 7: ("BEEF", "VEAL", "LAMB"), 8: ("YOGURT",),
    9: ("SOUP",), 10: ("VEGETABLES - SHELF", "BEANS - CANNED", "FRUIT - SHELF", "MEAT - SHELF", "PICKLE", "DRY BN", "CANNED"),
    11: ("COLD CEREAL", "HOT CEREAL", "CONVENIENT BRKFST", "BREAKFAST SWEETS", "MOLASSES"),
    12: ("CANDY",), 13: ("LUNCHMEAT", "HOT DOGS", "BACON", "BREAKFAST SAUSAGE", "DINNER SAUSAGE", "MEAT - MISC", "HEAT/SERVE", "SMOKED"),
    14: ("TROPICAL FRUIT", "APPLES", "BERRIES", "GRAPES", "CITRUS", "STONE FRUIT", "MELONS", "PEARS", "VALUE ADDED FRUIT", "PROCESSED"),
    15: ("REFRGRATD JUICES", "CANNED JUICES", "PWDR/CRYSTL", "FROZEN JUICE", "FRZN JCE", "JUICE"),
    16: ("CRACKERS", "COOKIES",), 17: ("BAKED SWEET GOODS", "CAKES", "PIES", "SWEET GOODS"),
    18: ("ICE CREAM", "FRZN NOVELTIES", "FRZN ICE", "FROZEN PIE", "FRZN FRUITS"), 19: ("EGGS",),
    20: ("DELI", "SALADS/DIPS", "SALAD BAR", "PREPARED FOOD", "SANDWICHES", "CHICKEN/POULTRY", "PARTY TRAYS", "RESTRICTED DIET"),
    21: ("DRY NOODLES", "PASTA SAUCE", "DINNER MXS", "DINNER MIXES", "HISPANIC", "RICE", "DRY SAUCES"),
    22: ("SALD DRSNG", "CONDIMENTS", "SPICES", "SHORTENING", "DRY MIX DESSERTS", "OLIVES"),
    23: ("VEGETABLES", "SALAD MIX", "ONIONS", "POTATOES", "TOMATOES", "PEPPERS", "CARROTS", "MUSHROOMS", "BROCCOLI", "HERBS", "CORN",
         "SQUASH", "CELERY", "CUCUMBERS"),
    24: ("FRZN VEGETABLE", "FRZN POTATOES"), 25: ("BABY", "DIAPERS", "INFANT"), 26: ("CHICKEN", "PORK", "TURKEY", "EXOTIC GAME"),
    27: ("BEERS", "DOMESTIC WINE", "IMPORTED WINE", "MISC WINE", "CIGARETTES", "LIQUOR", "TOBACCO"),
    28: ("CAT ", "DOG ", "PET", "BIRD SEED"), 29: ("COFFEE", "TEAS", "COCOA"),
    30: ("BAKING", "SUGARS", "PNT BTR", "FLOUR", "SYRUPS"),
    31: ("FD WRAPS", "BATH TISSUES", "PAPER", "LAUNDRY", "HOUSEHOLD CLEANG", "FACIAL TISS", "DISHWASH", "AIR CARE", "BROOMS", "BLEACH",
         "CHARCOAL", "INSECTICIDES", "BATTERIES", "CANDLES"),
    33: ("MARGARINES", "BUTTER", "DAIRY BY-PROD"), 34: ("SEAFOOD", "FROZEN SEAFOOD", "SHRIMP", "FRZN SEAFOOD"),
    35: ("GREETING CARDS", "MAGAZINE", "STATIONERY", "NEWSPAPER", "TOYS", "HARDWARE", "KITCHEN GADGETS", "FLORAL"),
}
BY_DEPARTMENT = {"NUTRITION": 36, "COSMETICS": 32, "SEAFOOD": 34, "SEAFOOD-PCKGD": 34, "PASTRY": 17, "DELI": 20, "CHEF SHOPPE": 20,
                 "SALAD BAR": 20, "PRODUCE": 23, "MEAT": 26, "MEAT-PCKGD": 13, "SPIRITS": 27, "FLORAL": 35, "GARDEN CENTER": 35,
                 "DRUG GM": 32, "GROCERY": 22, "FROZEN GROCERY": 6, "RESTAURANT": 20}
NOT_GOODS = ("COUPON", "FUEL", "BOTTLE DEPOSITS", "NO COMMODITY")  # Beginnings of product categories that are nobody's offer.
OWN_DEPARTMENT_FIRST = ("NUTRITION", "COSMETICS", "SEAFOOD", "SEAFOOD-PCKGD", "SPIRITS")
PREFIXES = sorted(((prefix, number) for number, prefixes in BY_PRODUCT.items() for prefix in prefixes),
                  key=lambda pair: (-len(pair[0]), pair))


class PreparationError(RuntimeError):
    pass


def category_of(department, product_category):
    """1 to 36; None for what isn't goods, such as fuel and coupons."""
    if product_category.startswith(NOT_GOODS) or department in ("FUEL", "COUPON"):
        return None
    if department in OWN_DEPARTMENT_FIRST:
        return BY_DEPARTMENT[department]
    for prefix, number in PREFIXES:
        if product_category.startswith(prefix):
            return number
    return BY_DEPARTMENT.get(department)


def open_table(source, name):
    for ending, opener in ((".csv", open), (".csv.gz", gzip.open)):
        path = os.path.join(source, name + ending)
        if os.path.exists(path):
            return opener(path, "rt", encoding="utf-8", newline="")
    raise PreparationError(f"{source} holds neither {name}.csv nor {name}.csv.gz")


def read_products(source):
    """{product_id: category}, of goods alone. Ids may be written as 1234 or 1234.0."""
    with open_table(source, "products") as file:
        found = {row["product_id"].split(".")[0]: category_of(row["department"] or "", row["product_category"] or "")
                 for row in csv.DictReader(file)}
    return {product: category for product, category in found.items() if category is not None}


def read_lines(source):
    """{household: [(store, sold_at, category, cents)]}: lines of goods with a time and a household."""
    products = read_products(source)
    lines = collections.defaultdict(list)
    with open_table(source, "transactions") as file:
        for row in csv.DictReader(file):
            category = products.get(row["product_id"].split(".")[0])
            sold_at = row["transaction_timestamp"].replace("T", " ")[:19]
            if category is not None and row["household_id"] and len(sold_at) == 19:
                cents = max(0, round(float(row["sales_value"] or 0) * 100))
                lines[int(row["household_id"])].append((int(row["store_id"]), sold_at, category, cents))
    if not lines:
        raise PreparationError(f"{source} has no lines of goods that name a household")
    return lines


def home_of(lines):
    """The store of most lines; of equal ones, the one with the smallest number."""
    counts = collections.Counter(store for store, *_ in lines)
    return min(counts, key=lambda store: (-counts[store], store))


def rows_by_home(lines):
    """{store: rows of all households whose home it is}."""
    homes = collections.defaultdict(list)
    for household, bought in lines.items():
        homes[home_of(bought)] += [(sold_at, household, category, cents) for _, sold_at, category, cents in bought]
    return homes


def split(homes, training, holdout):
    """(stores that train, stores held out), by number: the largest by households, then by a hash of the number."""
    households = {store: len({row[1] for row in rows}) for store, rows in homes.items()}
    if training < 1 or holdout < 0 or training + holdout > len(households):
        raise PreparationError(f"{training} training and {holdout} held-out stores are wanted; the data has {len(households)}")
    largest = sorted(households, key=lambda store: (-households[store], store))[:training + holdout]
    shuffled = sorted(largest, key=lambda store: hashlib.sha256(f"complete journey store {store}".encode()).digest())
    return sorted(shuffled[holdout:]), sorted(shuffled[:holdout])


def prepare(source, folder, training, holdout):
    homes = rows_by_home(read_lines(source))
    chosen = split(homes, training, holdout)
    return line_items.write_chain(folder, "prepare_completejourney.py",
                                  *([(f"store-{store:05d}", homes[store]) for store in stores] for stores in chosen))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("source")
    parser.add_argument("folder")
    parser.add_argument("--stores", type=int, default=24)
    parser.add_argument("--holdout", type=int, default=8)
    arguments = parser.parse_args()
    try:
        train, held_out = prepare(arguments.source, arguments.folder, arguments.stores, arguments.holdout)
    except (PreparationError, OSError, KeyError, ValueError) as error:
        sys.exit(f"prepare_completejourney: {error}")
    print(f"{arguments.folder}: {len(train)} stores train, {len(held_out)} are held out")


if __name__ == "__main__":
    main()
