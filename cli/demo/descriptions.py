"""What the demo knows of each plan it can run: where rows come from, how a model is judged, and what it is compared with.

A score is {measure: {"model": value, baseline: value, ...}} of one store, from the sums that the plan's metrics() gives.
"""
import math
import os
import re
import shutil
import tomllib
from typing import Callable, NamedTuple

import make_offers
import prepare_oj
from processes import DemoError

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Measure(NamedTuple):
    key: str
    title: str            # Heads a column and an axis.
    percent: bool = False
    higher_is_better: bool = False


class Description(NamedTuple):
    name: str             # Of the plan, its folder and its job.
    stores: int           # Unless the user says otherwise; likewise the next two.
    held_out: int
    rounds: int
    make_data: Callable   # (folder, stores, held out) -> the two lists of ids.
    measures: tuple       # The first one is what the plot and the verdict speak of.
    baselines: dict       # Key -> name: answers that need no model. The verdict speaks of the first.
    score: Callable       # {metric: sum over a store's held-out examples} -> a score.
    told: Callable        # {metric: noised mean} of a round -> the first measure, None if it isn't told.
    passes_alone: Callable  # Rounds of the job -> passes over its own rows for a store that trains alone.
    trainings_alone: int  # Of each store, with other seeds; the table has the mean of their scores.
    alone_note: str       # Of the stores' own models, for people; or empty.
    site_policy: str      # What the demo's sites allow.

    def methods(self):
        return {"federated": "federated", "alone": "each store alone", **self.baselines}


# Weekly demand: plans/demand on real sales.

def make_demand_data(folder, stores, held_out):
    return prepare_oj.prepare(folder, stores, held_out, prepare_oj.fetch_rda(prepare_oj.cache_folder()))


def demand_score(sums):
    """RMSE of ln(units) and WAPE."""
    count = sums["count"]
    return {"rmse": {"model": math.sqrt(sums["squared_error"] / count), "naive": math.sqrt(sums["naive_squared_error"] / count)},
            "wape": {"model": sums["absolute_error_units"] / sums["units"],
                     "naive": sums["naive_absolute_error_units"] / sums["units"]}}


def demand_told(metrics):
    squared = metrics.get("squared_error")
    return math.sqrt(max(0.0, squared)) if squared is not None else None


# Far more epsilon than a real site should allow: what twelve stores need that are the privacy unit themselves.
DEMAND_POLICY = """\
[privacy]
units = ["store", "none"]
floor_epsilon_per_year = 1000000.0
aggregate_epsilon_per_year = 1000000.0
epsilon_max = 1000000.0
"""

DEMAND = Description(
    name="demand", stores=12, held_out=6, rounds=60, make_data=make_demand_data,
    measures=(Measure("rmse", "RMSE of ln(units)"), Measure("wape", "WAPE", percent=True)),
    baselines={"naive": "last week's sales"}, score=demand_score, told=demand_told, passes_alone=lambda rounds: rounds,
    trainings_alone=3, site_policy=DEMAND_POLICY,
    alone_note="Stores alone train without any noise; their figures are means over three trainings of each store, with different seeds.")


# What a household buys next: plans/offers on made-up line items.

def offers_score(sums):
    """The share of what was bought that five guesses caught, and the log loss of the shares foretold."""
    if not sums.get("count"):
        raise DemoError("a store sold nothing to its households in the weeks held out: there is nothing to judge by")

    def means(metric):
        named = {"model": metric, "habit": f"habit_{metric}", "popular": f"popular_{metric}"}
        return {method: sums[name] / sums["count"] for method, name in named.items()}
    return {"top5": means("top5"), "loss": means("loss")}


# The caps are those of a site that has no policy of its own.
OFFERS_POLICY = """\
[privacy]
units = ["customer", "none"]
"""

OFFERS = Description(
    name="offers", stores=12, held_out=6, rounds=80, make_data=make_offers.prepare,
    measures=(Measure("top5", "catch of 5 guesses", percent=True, higher_is_better=True), Measure("loss", "log loss")),
    baselines={"habit": "the household's habits", "popular": "what everybody buys"},
    score=offers_score, told=lambda metrics: metrics.get("top5"), passes_alone=lambda rounds: 3, trainings_alone=1,
    alone_note="Stores alone train without any noise, and stop after three passes over their rows, where they do best.",
    site_policy=OFFERS_POLICY)

KNOWN = {description.name: description for description in (DEMAND, OFFERS)}


def find(plan):
    """(folder, description) of a plan's name or folder."""
    folder = plan if os.path.isdir(plan) else os.path.join(ROOT, "plans", plan)
    description = KNOWN.get(os.path.basename(os.path.abspath(folder)))
    if description is None or not os.path.exists(os.path.join(folder, "plan.toml")):
        raise DemoError(f"--plan {plan} is neither {' nor '.join(KNOWN)}, nor a folder of that name with a plan in it")
    return folder, description


def fitted(text, stores, customers):
    """A plan.toml for so many stores and, if not None, so many planned customers of each."""
    wanted = {"target": lambda _: stores, "min": lambda least: min(int(least), stores)}
    if customers is not None:
        wanted["customers_per_store"] = lambda _: customers
    for key, value in wanted.items():
        text, changed = re.subn(rf"(?m)^({key} = )(\d+)", lambda match, value=value: f"{match[1]}{value(match[2])}", text)
        if changed != 1:
            raise DemoError(f"the plan has {changed} lines that begin with \"{key} = \"; the demo wants one")
    return text


def fit_plan(folder, copy, stores, customers):
    """A copy of a plan's folder whose plan.toml is `fitted`."""
    shutil.copytree(folder, copy)
    path = os.path.join(copy, "plan.toml")
    with open(path, encoding="utf-8") as file:
        text = fitted(file.read(), stores, customers)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def privacy_of(folder):
    """The [privacy] table of a plan's folder."""
    with open(os.path.join(folder, "plan.toml"), "rb") as file:
        return tomllib.load(file)["privacy"]
