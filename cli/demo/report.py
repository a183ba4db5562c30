"""The demo's figures as text: one table for people, the same words for README.md."""

METHODS = (("federated", "federated"), ("alone", "each store alone"), ("naive", "last week's sales"))
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


def rows(results):
    """[(what, method, rmse, wape)] in the order of the table."""
    return [(title, name, results["accuracy"][kind][method]["rmse"], results["accuracy"][kind][method]["wape"])
            for kind, title in KINDS if kind in results["accuracy"] for method, name in METHODS]


def verdict(results):
    accuracy = results["accuracy"]["weeks"]
    ours, alone, naive = (accuracy[method]["rmse"] for method in ("federated", "alone", "naive"))
    def versus(other):
        change = (ours / other - 1) * 100
        return f"{abs(change):.0f} % {'below' if change <= 0 else 'above'}"
    return f"The federated model's RMSE is {versus(naive)} last week's sales and {versus(alone)} the stores' own models."


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
        found.insert(0, ("privacy", f"unit {privacy['unit']}: epsilon {epsilon_text(privacy['epsilon_floor'])} at delta "
                                    f"{privacy['delta']:g} (floor: holds even if everybody else colludes)"))
    return found


ALONE_NOTE = ("The own models of stores that never trained are trained on those stores' own rows, which the federated model has "
              "never seen.")


def plain_words(results):
    """What the epsilon is worth, said plainly."""
    privacy = results["privacy"]
    if privacy["unit"] == "none" or privacy["epsilon_floor"] <= 10:
        return ""
    return (f"An epsilon of {epsilon_text(privacy['epsilon_floor'])} promises little: {results['stores']['trained']} stores are too few "
            f"to hide one among them at a noise that leaves the model useful. Larger chains get both.")


def price_lines(results):
    prices = results["privacy"].get("prices") or []
    if not prices:
        return []
    lines = [plain_words(results), "The same plan and number of rounds, by the size of the chain (epsilon of a store, towards whoever sees sums):"]
    lines += [f"  {price['stores']:>6,} stores   {epsilon_text(price['epsilon_aggregate']):>9}" for price in prices]
    return lines


def text(results):
    lines = ["", f"{'':44}{'RMSE of':>10}{'':>9}", f"{'':44}{'ln(units)':>10}{'WAPE':>9}"]
    last = None
    for what, method, rmse, wape in rows(results):
        if what != last:
            lines.append(what)
            last = what
        lines.append(f"    {method:<40}{rmse:>10.3f}{wape * 100:>8.1f}%")
    lines += ["", verdict(results)] + ([ALONE_NOTE] if "stores" in results["accuracy"] else []) + [""]
    lines += [f"{name:<16} {value}" for name, value in facts(results)]
    lines += [""] + price_lines(results)
    return "\n".join(lines)


def markdown(results, plot):
    lines = [f"`./dev demo --stores {results['stores']['trained']} --rounds {results['rounds']['committed']}`, "
             f"as it came out on {results['machine']}:", "",
             "| judged on | model | RMSE of ln(units) | WAPE |", "|---|---|---:|---:|"]
    last = None
    for what, method, rmse, wape in rows(results):
        lines.append(f"| {what if what != last else ''} | {method} | {rmse:.3f} | {wape * 100:.1f} % |")
        last = what
    lines += ["", verdict(results) + (" " + ALONE_NOTE if "stores" in results["accuracy"] else ""), "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in facts(results)]
    prices = results["privacy"].get("prices") or []
    if prices:
        lines += ["", plain_words(results) + " What the same plan costs by the size of the chain, towards whoever sees "
                  "only sums (the secure sum, which makes that everybody, comes with a later release):", "",
                  "| stores | " + " | ".join(f"{price['stores']:,}" for price in prices) + " |",
                  "|---|" + "---:|" * len(prices),
                  "| epsilon | " + " | ".join(epsilon_text(price["epsilon_aggregate"]) for price in prices) + " |"]
    if plot:
        lines += ["", f"![Error by store, learning curve, price of privacy]({plot})"]
    return "\n".join(lines)
