"""Makes a chain's folder of real data: weekly orange juice sales of one chain's supermarkets.

    prepare_oj.py DIR [--stores N] [--holdout N] [--rda FILE]

writes DIR/tables.toml, DIR/stores/<id>/{sales,shelf,traits}.csv and DIR/holdout/<id>/{sales,shelf,traits}.csv. The data
is `orangeJuice` of Debian's package r-cran-bayesm (GPL-2+; from the Dominick's scanner data of the Kilts Center): 11
brands, 83 stores, weeks 40 to 160. It is downloaded once with apt-get; R isn't needed.

Which stores train and which are held out follows from their numbers alone, so every run sees the same split.
"""
import argparse
import csv
import hashlib
import os
import subprocess
import sys
import tempfile

import rdata

PACKAGE = "r-cran-bayesm"
MEMBER = "usr/lib/R/site-library/bayesm/data/orangeJuice.rda"
TRAITS = ("age60", "educ", "ethnic", "income", "hhlarge", "workwom", "hval150", "sstrdist", "sstrvol", "cpdist5", "cpwvol5")
BRANDS = 11

TABLES_TOML = """\
# Tables of one supermarket chain: weekly sales of 11 brands of orange juice. Made by cli/demo/prepare_oj.py.

[sales]                     # One row for each brand and week.
time = "week"
[sales.columns]
week = {{type = "int64", unit = "weeks since 1989-09-14", range = [1, 400]}}
brand = {{type = "int64", unit = "brand number", range = [1, {brands}]}}
units_log = {{type = "double", unit = "ln(units sold)", range = [0, 20]}}
price = {{type = "double", unit = "USD/oz", range = [0, 1]}}
deal = {{type = "double", unit = "in-store coupon, 0 or 1", range = [0, 1]}}
feature = {{type = "double", unit = "share of the week's days in the newspaper", range = [0, 1]}}

[shelf]                     # One row for each week: what every brand costs.
time = "week"
[shelf.columns]
week = {{type = "int64", unit = "weeks since 1989-09-14", range = [1, 400]}}
{prices}

[traits]                    # One row: who lives around the store, and how far the competition is.
[traits.columns]
{traits}
"""

TRAIT_UNITS = {
    "age60": "share of people over 60", "educ": "share of people with a degree", "ethnic": "share of minorities",
    "income": "ln(median income in USD)", "hhlarge": "share of households of five or more",
    "workwom": "share of women who work", "hval150": "share of homes over 150,000 USD",
    "sstrdist": "miles to the nearest warehouse store", "sstrvol": "sales relative to the warehouse store",
    "cpdist5": "mean miles to the 5 nearest supermarkets", "cpwvol5": "sales relative to those 5",
}


class PreparationError(RuntimeError):
    pass


def run(command, folder):
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def fetch_rda(cache):
    """The path of orangeJuice.rda, downloaded into `cache` if it isn't there yet."""
    path = os.path.join(cache, "orangeJuice.rda")
    if os.path.exists(path):
        return path
    os.makedirs(cache, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as work:
        fetched = run(["apt-get", "-q", "download", PACKAGE], work)
        if fetched.returncode != 0 and os.geteuid() == 0:  # No package lists yet.
            run(["apt-get", "-q", "update"], work)
            fetched = run(["apt-get", "-q", "download", PACKAGE], work)
        packages = [name for name in os.listdir(work) if name.endswith(".deb")]
        if fetched.returncode != 0 or not packages:
            raise PreparationError(f"apt-get could not download {PACKAGE}: {fetched.stderr.strip() or 'no file came'}. "
                                   "Check the network, or run apt-get update as root, or use --data with a chain of your own.")
        unpacked = run(["dpkg-deb", "-x", packages[0], "unpacked"], work)
        source = os.path.join(work, "unpacked", MEMBER)
        if unpacked.returncode != 0 or not os.path.exists(source):
            raise PreparationError(f"{packages[0]} holds no {MEMBER}: {unpacked.stderr.strip()}")
        os.replace(source, path)
    return path


def read_orange_juice(path):
    """{store: {"sales": rows, "shelf": rows, "traits": rows}} with each row a dict; rows in order of week, then brand."""
    data = rdata.load(path)["orangeJuice"]
    columns, traits = data["yx"], data["storedemo"]
    stores = {}
    for i, number in enumerate(traits["STORE"]):
        stores[int(number)] = {"sales": [], "shelf": {}, "traits": [{name: traits[name.upper()][i] for name in TRAITS}]}
    for i, number in enumerate(columns["store"]):
        store, week, brand = stores[int(number)], int(columns["week"][i]), int(columns["brand"][i])
        prices = {f"price{b}": columns[f"price{b}"][i] for b in range(1, BRANDS + 1)}
        store["sales"].append({"week": week, "brand": brand, "units_log": columns["logmove"][i],
                               "price": prices[f"price{brand}"], "deal": columns["deal"][i],
                               "feature": columns["feat"][i]})
        store["shelf"][week] = {"week": week, **prices}
    for store in stores.values():
        store["sales"].sort(key=lambda row: (row["week"], row["brand"]))
        store["shelf"] = [store["shelf"][week] for week in sorted(store["shelf"])]
    return stores


def split(numbers, training, holdout):
    """(stores that train, stores held out): the order is that of the numbers' SHA-256, held-out ones first."""
    if training < 1 or holdout < 0 or training + holdout > len(numbers):
        raise PreparationError(f"{training} training and {holdout} held-out stores are wanted; the data has {len(numbers)}")
    shuffled = sorted(numbers, key=lambda number: hashlib.sha256(f"orange juice store {number}".encode()).digest())
    return sorted(shuffled[holdout:holdout + training]), sorted(shuffled[:holdout])


def number_text(value):
    return str(value) if isinstance(value, int) else f"{value:.10g}"


def write_store(folder, tables):
    os.makedirs(folder, exist_ok=True)
    for name, rows in tables.items():
        with open(os.path.join(folder, f"{name}.csv"), "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(rows[0])
            writer.writerows([number_text(value) for value in row.values()] for row in rows)


def store_id(number):
    return f"store-{number:03d}"


def tables_toml():
    prices = "\n".join(f'price{b} = {{type = "double", unit = "USD/oz", range = [0, 1]}}' for b in range(1, BRANDS + 1))
    traits = "\n".join(f'{name} = {{type = "double", unit = "{TRAIT_UNITS[name]}", range = [0, 100]}}' for name in TRAITS)
    return TABLES_TOML.format(brands=BRANDS, prices=prices, traits=traits)


def prepare(folder, training, holdout, rda):
    stores = read_orange_juice(rda)
    train, held_out = split(list(stores), training, holdout)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "tables.toml"), "w", encoding="utf-8") as file:
        file.write(tables_toml())
    for kind, numbers in (("stores", train), ("holdout", held_out)):
        for number in numbers:
            write_store(os.path.join(folder, kind, store_id(number)), stores[number])
    return [store_id(number) for number in train], [store_id(number) for number in held_out]


def cache_folder():
    return os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "aisle")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder")
    parser.add_argument("--stores", type=int, default=12)
    parser.add_argument("--holdout", type=int, default=6)
    parser.add_argument("--rda", help="orangeJuice.rda, if it is here already")
    arguments = parser.parse_args()
    try:
        train, held_out = prepare(arguments.folder, arguments.stores, arguments.holdout,
                                  arguments.rda or fetch_rda(cache_folder()))
    except (PreparationError, rdata.RDataError, OSError) as error:
        sys.exit(f"prepare_oj: {error}")
    print(f"{arguments.folder}: {len(train)} stores train ({', '.join(train)}), {len(held_out)} are held out "
          f"({', '.join(held_out) or 'none'})")


if __name__ == "__main__":
    main()
