"""Makes up a chain's folder for the offers plan: SYNTHETIC line items of households that don't exist.

    make_offers.py DIR [--stores N] [--holdout N] [--households N] [--seed TEXT]

Writes DIR/tables.toml, DIR/stores/<id>/lines.csv and DIR/holdout/<id>/lines.csv, the same bytes for the same seed.

Nothing here is anybody's data. The marginals follow what 84.51's public sample "The Complete Journey 2.0" (CC0) shows, as
round figures written below: which categories sell, how many lines a visit has (the sample's visits are thinned, hence
short), how unevenly households shop, on which days and at which hours. It has more households per store than the sample,
which is of few households. What ties purchases together is made up, in the spirit of what is known of shoppers: lifestyles
that favour some categories (MOVED_BY), own tastes that last, stocks that run out (STOCK_DAYS), hours and seasons
(WHEN), neighbourhoods that differ from store to store.
"""
import argparse
import datetime
import functools
import itertools
import math
import random
import sys

import line_items

SEED = "aisle offers 1"
FIRST_DAY = datetime.date(2024, 1, 1)  # A Monday.
WEEKS = 52
COUNT = len(line_items.CATEGORIES)

# Percent of all lines, by category.
SHARES = (6.0, 4.0, 4.5, 4.0, 3.5, 4.5, 2.0, 2.0, 1.5, 5.0, 3.0, 2.5, 4.0, 4.5, 3.0, 2.0, 1.5, 2.0,
          1.0, 2.5, 3.0, 3.0, 5.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.0, 2.0, 4.0, 4.5, 0.5, 1.0, 2.0, 1.0)
# Percent of visits with 1, 2, ... lines.
BASKET_SIZES = (57, 23, 10, 5, 2.5, 1.2, 0.7, 0.3, 0.15, 0.1, 0.05)
WEEKDAYS = (15, 12, 12, 12, 14, 17, 18)  # Percent of lines, Monday to Sunday.
# Percent of lines by hour of the day, from midnight.
HOURS = (0.5, 0.5, 0.2, 0.1, 0.1, 0.1, 0.3, 0.7, 1.3, 2.5, 4, 6, 7, 7.5, 8, 8, 9.5, 10.5, 10, 8, 6.5, 4.5, 2.5, 1.2)
LINES_MEDIAN, LINES_SPREAD, LINES_MAX = 22, 1.0, 240  # Of a household in a year: log-normal, cut off.
WITHOUT_CARD = 0.12  # Share of lines whose household nobody knows.
# Usual price of a line in USD; single lines spread around it.
PRICES = (2.5, 2, 2, 2.5, 2.5, 3, 5, 1.5, 1.5, 1.5, 2.5, 1.5, 3, 2, 2.5, 2.5, 2.5, 3, 1.5, 4, 1.5,
          2, 2, 2, 2.5, 4.5, 7, 3, 4, 2, 3.5, 3.5, 1.5, 4, 2.5, 2.5)
PRICE_SPREAD = 0.6

# A lifestyle: the share of households that have it, and by which power of e it moves categories.
MOVED_BY = {
    "small children": (0.15, {25: 3.6, 2: 0.6, 11: 0.6, 15: 0.6, 31: 0.4}),
    "school children": (0.20, {5: 0.9, 11: 1.2, 15: 0.9, 16: 1.0, 18: 0.8, 13: 0.5, 12: 0.6}),
    "pets": (0.25, {28: 3.2, 31: 0.2}),
    "cooking": (0.25, {22: 1.2, 23: 1.1, 30: 1.2, 7: 0.8, 26: 1.1, 33: 1.2, 19: 0.8, 6: -1.5, 9: -0.6}),
    "convenience": (0.30, {6: 1.5, 9: 0.9, 20: 1.0, 1: 0.8, 5: 0.6, 24: 1.0, 23: -0.9, 30: -0.9, 26: -0.8}),
    "health": (0.15, {36: 2.6, 14: 1.1, 23: 1.0, 8: 1.2, 34: 1.1, 1: -1.2, 12: -1.2, 5: -0.8, 17: -0.8}),
    "smoke and drink": (0.15, {27: 2.8, 5: 0.8, 1: 0.6, 35: 0.8, 13: 0.4}),
    "beauty": (0.15, {32: 1.8, 35: 1.2, 12: 0.4}),
}
TASTE_SPREAD = 0.3  # Of a household's own leaning to each category, beside its lifestyles.
STORE_SPREAD = 0.15  # Of a store's assortment.
MIX_SPREAD = 0.6  # Of how common each lifestyle is around a store.
# After buying, a need returns over about so many days; other categories are bought again at once.
STOCK_DAYS = {31: 30, 32: 25, 30: 30, 29: 25, 22: 20, 28: 14, 11: 14, 33: 14, 19: 8, 2: 4, 3: 4, 18: 10, 10: 10, 21: 12}
# Errands: when (by month, weekday, hour), and how it moves categories.
WHEN = (
    (lambda month, weekday, hour: hour < 11, {2: 1.5, 3: 1.5, 29: 2.8, 35: 2.8, 17: 2.1, 8: 1.0, 27: -2.5, 6: -1.5}),
    (lambda month, weekday, hour: hour >= 19, {27: 2.5, 5: 1.5, 18: 1.8, 6: 1.5, 12: 1.0, 23: -1.3, 7: -1.0}),
    (lambda month, weekday, hour: 11 <= hour < 14, {20: 2.8, 1: 1.3, 12: 0.6}),
    (lambda month, weekday, hour: weekday >= 4, {7: 1.5, 27: 1.5, 26: 1.0, 31: 0.6}),
    (lambda month, weekday, hour: 6 <= month <= 8, {18: 2.1, 1: 1.3, 14: 1.3, 9: -2.5, 30: -1.3}),
    (lambda month, weekday, hour: month in (11, 12, 1, 2), {9: 1.8, 30: 1.5, 12: 1.3, 18: -1.3, 14: -0.6}),
)


def moved(weights, moves, times=1.0):
    """`weights` by category, each times e to the power of its move."""
    changed = list(weights)
    for category, power in moves.items():
        changed[category - 1] *= math.exp(power * times)
    return changed


def occasions():
    """{(month, weekday, hour): the factor of every category then}."""
    found = {}
    for when in itertools.product(range(1, 13), range(7), range(24)):
        factors = [1.0] * COUNT
        for holds, moves in WHEN:
            if holds(*when):
                factors = moved(factors, moves)
        found[when] = factors
    return found


OCCASIONS = occasions()
DAYS = [FIRST_DAY + datetime.timedelta(days=number) for number in range(7 * WEEKS)]


class Store:
    def __init__(self, draw, shares):
        self.shares = [share * math.exp(draw.gauss(0, STORE_SPREAD)) for share in shares]
        self.lifestyles = {name: min(0.9, share * math.exp(draw.gauss(0, MIX_SPREAD))) for name, (share, _) in MOVED_BY.items()}


def tastes_of(store, draw):
    """How much a household leans to each category: for good."""
    weights = [share * math.exp(draw.gauss(0, TASTE_SPREAD)) for share in store.shares]
    for name, share in store.lifestyles.items():
        if draw.random() < share:
            weights = moved(weights, MOVED_BY[name][1], draw.uniform(0.7, 1.3))
    return weights


@functools.cache
def balanced_shares():
    """What to start from so that SHARES come out, once lifestyles and errands have moved them."""
    shares = list(SHARES)
    for _ in range(4):
        draw, sums = random.Random("balance"), [0.0] * COUNT
        for _ in range(400):
            tastes = tastes_of(Store(draw, shares), draw)
            for _ in range(10):
                when = (draw.randint(1, 12), draw.choices(range(7), WEEKDAYS)[0], draw.choices(range(24), HOURS)[0])
                weights = [taste * factor for taste, factor in zip(tastes, OCCASIONS[when])]
                total = sum(weights)
                sums = [so_far + weight / total for so_far, weight in zip(sums, weights)]
        shares = [share * wanted / sum(SHARES) / (came / sum(sums)) for share, wanted, came in zip(shares, SHARES, sums)]
    return tuple(shares)


def visits_of(draw):
    """[(day number, hour, lines)] of one household's year, in order. Most have a usual weekday."""
    lines = min(LINES_MAX, max(1, round(LINES_MEDIAN * math.exp(draw.gauss(0, LINES_SPREAD)))))
    usual = draw.choices(range(7), WEEKDAYS)[0]
    found = {}
    while lines > 0:
        weekday = usual if draw.random() < 0.4 else draw.choices(range(7), WEEKDAYS)[0]
        day = 7 * draw.randrange(WEEKS) + weekday
        if day in found:
            continue
        size = min(lines, draw.choices(range(1, len(BASKET_SIZES) + 1), BASKET_SIZES)[0])
        found[day] = (draw.choices(range(24), HOURS)[0], size)
        lines -= size
    return [(day, *found[day]) for day in sorted(found)]


def basket(tastes, day, hour, size, latest, draw):
    """The categories of one visit. `latest`: the day each category was bought last; brought up to date."""
    date = DAYS[day]
    weights = [taste * factor for taste, factor in zip(tastes, OCCASIONS[date.month, date.weekday(), hour])]
    for category, bought in latest.items():
        weights[category - 1] *= 1 - 0.9 * math.exp((bought - day) / STOCK_DAYS[category])
    chosen = draw.choices(range(1, COUNT + 1), weights, k=size)
    latest.update((category, day) for category in chosen if category in STOCK_DAYS)
    return chosen


def household_lines(store, household, draw):
    """One household's year as rows for line_items.write_store."""
    tastes, latest, rows = tastes_of(store, draw), {}, []
    for day, hour, size in visits_of(draw):
        sold_at = f"{DAYS[day]} {hour:02}:{draw.randrange(60):02}:{draw.randrange(60):02}"
        for category in basket(tastes, day, hour, size, latest, draw):
            cents = max(1, round(100 * PRICES[category - 1] * math.exp(draw.gauss(0, PRICE_SPREAD))))
            rows.append((sold_at, None if draw.random() < WITHOUT_CARD else household, category, cents))
    return rows


def store_rows(seed, number, households):
    """All lines of one store, which follow from the seed and its number alone. Its size is within a third of `households`."""
    draw = random.Random(f"{seed}/{number}")
    store = Store(draw, balanced_shares())
    count = max(1, round(households * draw.uniform(2 / 3, 4 / 3)))
    return [row for index in range(count) for row in household_lines(store, 1_000_000 * number + index + 1, draw)]


def prepare(folder, training, holdout, households=1000, seed=SEED):
    """(ids of stores that train, ids of those held out)."""
    def made_up(numbers):
        return ((f"store-{number:03d}", store_rows(seed, number, households)) for number in numbers)
    return line_items.write_chain(folder, "make_offers.py: SYNTHETIC, nobody's purchases", made_up(range(1, training + 1)),
                                  made_up(range(training + 1, training + holdout + 1)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder")
    parser.add_argument("--stores", type=int, default=12)
    parser.add_argument("--holdout", type=int, default=6)
    parser.add_argument("--households", type=int, default=1000, help="of a store, on average")
    parser.add_argument("--seed", default=SEED)
    arguments = parser.parse_args()
    if arguments.stores < 1 or arguments.holdout < 0 or not 1 <= arguments.households < 700_000:
        parser.error("--stores and --households must be at least 1, --holdout at least 0, --households below 700000")
    try:
        train, held_out = prepare(arguments.folder, arguments.stores, arguments.holdout, arguments.households, arguments.seed)
    except OSError as error:
        sys.exit(f"make_offers: {error}")
    print(f"{arguments.folder}: {len(train)} stores train, {len(held_out)} are held out; all of it is made up")


if __name__ == "__main__":
    main()
