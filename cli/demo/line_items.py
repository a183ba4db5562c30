"""What both of the offers plan's chains share: the table of line items, its 36 categories, and how it is written.

A chain's folder is DIR/tables.toml, DIR/stores/<id>/lines.csv and DIR/holdout/<id>/lines.csv.
"""
import csv
import os

# In the order of their numbers, 1 to 36; plans/offers counts on it.
CATEGORIES = (
    "soft drinks and water", "milk", "bread and rolls", "cheese", "salty snacks and nuts", "frozen meals and pizza", "beef", "yogurt",
    "soup", "canned vegetables and beans", "cereal and breakfast", "candy", "packaged meat", "fresh fruit", "juices",
    "cookies and crackers", "cakes and pastry", "ice cream and frozen desserts", "eggs", "deli", "pasta, rice and mixes",
    "condiments, dressings and spices", "fresh vegetables and salads", "frozen vegetables and potatoes", "baby", "poultry and pork",
    "beer, wine and tobacco", "pets", "coffee, tea and drink mixes", "baking, sugar and spreads", "paper, cleaning and household",
    "health and beauty", "butter, margarine and cream", "seafood", "magazines, cards and sundries", "natural and organic foods")

TABLES_TOML = """\
# Tables of one supermarket chain: what households bought, line by line. Made by cli/demo/{maker}.
# Categories: {categories}.

[lines]                     # One row for each line of a receipt.
time = "sold_at"
customer = "household"
sequence = "line"
[lines.columns]
line = {{type = "int64", unit = "number of the line in this store", range = [1, 100000000]}}
sold_at = {{type = "timestamp", unit = "local time at the till"}}
household = {{type = "int64", unit = "loyalty account; empty without a card", range = [1, 1000000000], nullable = true}}
category = {{type = "int64", unit = "number of the category", range = [1, {count}]}}
amount = {{type = "double", unit = "USD", range = [0, 10000]}}
"""

HEADER = ("line", "sold_at", "household", "category", "amount")


def tables_toml(maker):
    names = ", ".join(f"{number} {name}" for number, name in enumerate(CATEGORIES, 1))
    return TABLES_TOML.format(maker=maker, categories=names, count=len(CATEGORIES))


def write_store(folder, rows):
    """`rows`: (sold_at as "YYYY-MM-DD HH:MM:SS", household or None, category, cents), written in the order of time."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lines.csv"), "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        ordered = sorted(rows, key=lambda row: (row[0], row[1] or 0, row[2], row[3]))
        writer.writerows((line, sold_at, "" if household is None else household, category, f"{cents / 100:.2f}")
                         for line, (sold_at, household, category, cents) in enumerate(ordered, 1))


def write_chain(folder, maker, stores, holdout):
    """`stores` and `holdout`: [(store id, rows)], each written as soon as it comes. Gives the two lists of ids."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "tables.toml"), "w", encoding="utf-8") as file:
        file.write(tables_toml(maker))
    written = []
    for kind, chosen in (("stores", stores), ("holdout", holdout)):
        ids = []
        for store, rows in chosen:
            write_store(os.path.join(folder, kind, store), rows)
            ids.append(store)
        written.append(ids)
    return tuple(written)
