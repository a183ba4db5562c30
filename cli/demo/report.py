"""The demo's figures as text: one table for people, the same words for README.md."""

KINDS = (("weeks", "held-out weeks, stores that trained"), ("stores", "held-out weeks, stores that never trained"))


def bytes_text(count):
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return ""


def epsilon_text(epsilon):
    """Two figures after the point while that says something."""
    if epsilon is None:
        return "none"
    return f"{epsilon:.2f}" if epsilon < 100 else f"{epsilon:,.0f}"


def value_text(measure, value):
    return f"{value * 100:.1f} %" if measure["percent"] else f"{value:.3f}"


def rows(results):
    """[(what, method, [value of each measure])] in the order of the table."""
    return [(title, name, [value_text(measure, results["accuracy"][kind][method][measure["key"]]) for measure in results["measures"]])
            for kind, title in KINDS if kind in results["accuracy"] for method, name in results["methods"].items()]


def verdict(results):
    """By the first measure: against the first answer that needs no model, and against the stores' own models."""
    accuracy, measure = results["accuracy"]["weeks"], results["measures"][0]
    baseline = next(method for method in results["methods"] if method not in ("federated", "alone"))

    def versus(other):
        change = (accuracy["federated"][measure["key"]] / accuracy[other][measure["key"]] - 1) * 100
        return f"{abs(change):.0f} % {'below' if change < 0 else 'above'}"
    better = "higher is better" if measure["higher_is_better"] else "lower is better"
    return (f"The federated model's {measure['title']} is {versus(baseline)} {results['methods'][baseline]} and {versus('alone')} "
            f"the stores' own models ({better}).")


def facts(results):
    """[(name, text)] of what it cost."""
    privacy, memory = results["privacy"], results["memory"]
    found = [
        ("rounds", f"{results['rounds']['committed']} committed, {results['rounds']['aborted']} aborted; "
                   f"{results['seconds']['per_round']:.2f} s each (median)"),
        ("model", f"{results['model']['parameters']:,} parameters, one update {bytes_text(results['model']['update_bytes'])}"),
        ("bytes per store", f"{bytes_text(results['traffic']['up_per_store'])} up, "
                            f"{bytes_text(results['traffic']['down_per_store'])} down, over all rounds"),
        ("peak memory", ", ".join(f"{kind} {bytes_text(memory[kind])}" for kind in ("coordinator", "agent", "worker"))),
        ("wall time", f"{results['seconds']['total']:.0f} s, of which {results['seconds']['rounds']:.0f} s in rounds"),
    ]
    if privacy["unit"] == "none":
        found.insert(0, ("privacy", "none: this plan adds no noise"))
    else:
        found.insert(0, ("privacy", privacy_text(results)))
        if privacy.get("customers_sampled_per_store"):
            found.insert(1, ("customers", customers_text(privacy, results["stores"]["trained"])))
    return found


def privacy_text(results):
    """The tight figure first, as in the table of prices; then the one that the job shows and ledgers count by."""
    privacy = results["privacy"]
    counted = epsilon_text(privacy["epsilon_floor"])
    tight = (privacy.get("prices") or [{}])[0].get("epsilon_floor")  # The floor is the same for every size of chain.
    (accountant, _), (counter, _) = accountants(results)
    figure = (f"epsilon {counted} by {counter}" if tight is None
              else f"epsilon {epsilon_text(tight)} ({accountant}; {counted} by {counter}, as ledgers count)")
    return f"unit {privacy['unit']}: {figure} at delta {privacy['delta']:g} (floor: holds even if everybody else colludes)"


def customers_text(privacy, stores):
    """Planning numbers: how many a round really drew, no one is told."""
    each = privacy["customers_sampled_per_store"]
    return (f"each drawn with probability {privacy['sampling_rate']:g} in every round: {each:,.0f} expected of a store as planned, "
            f"{each * stores:,.0f} of all")


ALONE_NOTE = ("The own models of stores that never trained are trained on those stores' own rows, which the federated model has "
              "never seen.")


def notes(results):
    return [note for note in (ALONE_NOTE if "stores" in results["accuracy"] else "", results.get("alone_note")) if note]



def plain_words(results):
    """What the epsilon is worth, said plainly."""
    privacy = results["privacy"]
    if privacy["unit"] == "none" or privacy["epsilon_floor"] <= 10:
        return ""
    return (f"An epsilon of {epsilon_text(privacy['epsilon_floor'])} promises little: {results['stores']['trained']} stores are too few "
            f"to hide one {privacy['unit']} among them at a noise that leaves the model useful. Larger chains get both.")


TIERS = (("floor", "epsilon_floor"), ("aggregate", "epsilon_aggregate"))


def accountants(results):
    """(name, ending of the key): the tight one, then the one by which stores' ledgers count."""
    tight = "PLD" if results["privacy"].get("sampling_rate") else "exact"
    return ((tight, ""), ("RDP", "_rdp"))


def price_rows(results):
    """[(tier and accountant, [epsilon by size of the chain])]: the floor is the same in each."""
    prices = results["privacy"].get("prices") or []
    found = []
    for tier, key in TIERS:
        for accountant, ending in accountants(results):
            if all(price.get(key + ending) is not None for price in prices):
                found.append((f"{tier}, {accountant}", [epsilon_text(price[key + ending]) for price in prices]))
    return found if prices else []


def price_lines(results):
    prices = results["privacy"].get("prices") or []
    if not prices:
        return []
    lines = [plain_words(results), f"The same plan and number of rounds, by the size of the chain (epsilon of a "
             f"{results['privacy']['unit']}; aggregate: towards whoever sees sums):"]
    lines.append(f"  {'stores':<20}" + "".join(f"{price['stores']:>10,}" for price in prices))
    return lines + [f"  {name:<20}" + "".join(f"{value:>10}" for value in values) for name, values in price_rows(results)]


def text(results):
    titles = [measure["title"] for measure in results["measures"]]
    width = max(12, *(len(title) + 3 for title in titles))
    lines = ["", " " * 44 + "".join(f"{title:>{width}}" for title in titles)]
    last = None
    for what, method, values in rows(results):
        if what != last:
            lines.append(what)
            last = what
        lines.append(f"    {method:<40}" + "".join(f"{value:>{width}}" for value in values))
    lines += ["", verdict(results), *notes(results), ""]
    lines += [f"{name:<16} {value}" for name, value in facts(results)]
    lines += [""] + price_lines(results)
    return "\n".join(lines)


def markdown(results, plot):
    titles = [measure["title"] for measure in results["measures"]]
    plan = "" if results["plan"] == "demand" else f"--plan {results['plan']} "
    lines = [f"`./dev demo {plan}--stores {results['stores']['trained']} --rounds {results['rounds']['committed']}`, "
             f"as it came out on {results['machine']}:", "",
             "| judged on | model | " + " | ".join(titles) + " |", "|---|---|" + "---:|" * len(titles)]
    last = None
    for what, method, values in rows(results):
        lines.append(f"| {what if what != last else ''} | {method} | " + " | ".join(values) + " |")
        last = what
    lines += ["", " ".join([verdict(results), *notes(results)]), "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in facts(results)]
    prices = results["privacy"].get("prices") or []
    if prices:
        lines += ["", f"{plain_words(results)} What the same plan costs by the size of the chain; aggregate is towards whoever sees "
                  "only sums (under the secure sum that is everybody, headquarters too):".strip(), "",
                  "| stores | " + " | ".join(f"{price['stores']:,}" for price in prices) + " |",
                  "|---|" + "---:|" * len(prices)]
        lines += [f"| epsilon, {name} | " + " | ".join(values) + " |" for name, values in price_rows(results)]
    if plot:
        lines += ["", f"![Score by store, learning curve, price of privacy]({plot})"]
    return "\n".join(lines)
