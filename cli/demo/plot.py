"""The demo's plot as SVG, written by hand: score by store, learning curve, price of privacy."""
import math
from xml.sax.saxutils import escape

# Okabe and Ito's palette: told apart by colour-blind readers too, and each method has its own mark besides.
STYLES = {"federated": ("#0072b2", "circle"), "alone": ("#d55e00", "square")}
BASELINE_STYLE = ("#7f7f7f", "diamond")
INK, FAINT, GRID, PAPER = "#222222", "#666666", "#e4e4e4", "#ffffff"
WIDTH, HEIGHT = 1120, 720


class Panel:
    """A rectangle of the picture with a linear or logarithmic scale on each axis."""

    def __init__(self, x, y, width, height, x_range, y_range, x_log=False, y_log=False):
        self.x, self.y, self.width, self.height = x, y, width, height
        self.x_range, self.y_range, self.x_log, self.y_log = x_range, y_range, x_log, y_log

    def at_x(self, value):
        return self.x + self.width * _share(value, self.x_range, self.x_log)

    def at_y(self, value):
        return self.y + self.height * (1 - _share(value, self.y_range, self.y_log))


def _share(value, limits, logarithmic):
    low, high = limits
    if logarithmic:
        value, low, high = math.log10(value), math.log10(low), math.log10(high)
    return (value - low) / (high - low) if high > low else 0.5


def text(x, y, words, size=13, anchor="start", colour=INK, weight="normal", turn=None):
    turned = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn is not None else ""
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}" '
            f'font-weight="{weight}"{turned}>{escape(str(words))}</text>')


def line(x1, y1, x2, y2, colour=GRID, width=1.0, dash=None):
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"{dashes}/>'


def mark(x, y, method, size=5.0):
    colour, shape = STYLES.get(method, BASELINE_STYLE)
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}" fill="{colour}" stroke="{PAPER}" stroke-width="1"/>'
    if shape == "square":
        return (f'<rect x="{x - size * .88:.1f}" y="{y - size * .88:.1f}" width="{size * 1.76:.1f}" height="{size * 1.76:.1f}" '
                f'fill="{colour}" stroke="{PAPER}" stroke-width="1"/>')
    points = f"{x},{y - size * 1.2:.1f} {x + size * 1.2:.1f},{y} {x},{y + size * 1.2:.1f} {x - size * 1.2:.1f},{y}"
    return f'<polygon points="{points}" fill="{colour}" stroke="{PAPER}" stroke-width="1"/>'


def ticks(low, high, wanted=5):
    """Round numbers from low to high."""
    raw = (high - low) / max(1, wanted)
    magnitude = 10 ** math.floor(math.log10(raw)) if raw > 0 else 1
    step = next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= raw)
    first = math.ceil(low / step - 1e-9)
    return [round(index * step, 10) for index in range(first, math.floor(high / step + 1e-9) + 1)]


def decades(low, high):
    return [10.0 ** power for power in range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1)]


def number(value):
    return f"{value:,.0f}" if abs(value) >= 10 or value == int(value) else f"{value:g}"


def heading(panel, title, subtitle):
    return [text(panel.x, panel.y - 30, title, 15, weight="bold"), text(panel.x, panel.y - 12, subtitle, 12, colour=FAINT)]


def frame(panel, x_ticks, y_ticks, x_label, y_label):
    parts = []
    for value in y_ticks:
        y = panel.at_y(value)
        parts += [line(panel.x, y, panel.x + panel.width, y), text(panel.x - 8, y + 4, number(value), 12, "end", FAINT)]
    for value in x_ticks:
        x = panel.at_x(value)
        parts += [line(x, panel.y + panel.height, x, panel.y + panel.height + 4, FAINT),
                  text(x, panel.y + panel.height + 18, number(value), 12, "middle", FAINT)]
    bottom = panel.y + panel.height
    parts += [line(panel.x, bottom, panel.x + panel.width, bottom, FAINT),
              text(panel.x + panel.width / 2, bottom + 38, x_label, 12, "middle", FAINT),
              text(panel.x - 46, panel.y + panel.height / 2, y_label, 12, "middle", FAINT, turn=-90)]
    return parts


def shown(results):
    """{method: name} of the three that are drawn: with the first answer that needs no model."""
    baseline = next(method for method in results["methods"] if method not in STYLES)
    return {method: results["methods"][method] for method in ("federated", "alone", baseline)}


def first_measure(results):
    """(key, label of an axis, whether higher is better)."""
    measure = results["measures"][0]
    return measure["key"], measure["title"], measure["higher_is_better"]


def legend(x, y, methods):
    parts = []
    for method, name in methods.items():
        parts += [mark(x, y - 4, method, 5.5), text(x + 12, y, name, 13)]
        x += 34 + 7.3 * len(name)
    return parts


def scores_by_store(results, x, y, width, height):
    """One column per store: three marks joined by a line, seen stores first."""
    key, label, higher_is_better = first_measure(results)
    methods = tuple(reversed(shown(results)))
    groups = [(title, [store for store in results["per_store"] if store["kind"] == kind])
              for kind, title in (("trained", "stores that trained"), ("holdout", "stores that never did"))]
    groups = [(title, sorted(stores, key=lambda store: store[key]["federated"])) for title, stores in groups if stores]
    count = sum(len(stores) for _, stores in groups)
    high = max(store[key][method] for _, stores in groups for store in stores for method in methods) * 1.08
    panel = Panel(x, y, width, height, (0, count + len(groups) - 1), (0, high))
    parts = heading(panel, "By store, in weeks held out of training", f"{label}; {'higher' if higher_is_better else 'lower'} is better")
    parts += frame(panel, [], ticks(0, high), "", label)
    slot, label_every = 0, max(1, math.ceil(count / 24))
    for index, (title, stores) in enumerate(groups):
        first = slot
        for position, store in enumerate(stores):
            at = panel.at_x(slot + 0.5)
            values = {method: store[key][method] for method in methods}
            parts.append(line(at, panel.at_y(min(values.values())), at, panel.at_y(max(values.values())), "#bbbbbb", 1.5))
            parts += [mark(at, panel.at_y(values[method]), method) for method in methods]
            if position % label_every == 0:
                parts.append(text(at + 4, panel.y + panel.height + 12, store["store"].removeprefix("store-"), 11, "end", FAINT, turn=-45))
            slot += 1
        middle = (panel.at_x(first) + panel.at_x(slot)) / 2
        parts.append(text(middle, panel.y + panel.height + 44, title, 12, "middle", FAINT))
        if index + 1 < len(groups):
            at = panel.at_x(slot + 0.5)
            parts.append(line(at, panel.y, at, panel.y + panel.height + 30, "#bbbbbb", 1, "4 4"))
            slot += 1
    return parts


def learning_curve(results, x, y, width, height):
    key, label, _ = first_measure(results)
    curve = [(point["round"], point["score"]) for point in results["curve"]]
    told = [(point["round"], point["score"]) for point in results["history"] if point.get("score") is not None]
    others = {method: results["accuracy"]["weeks"][method][key] for method in shown(results) if method != "federated"}
    values = [value for _, value in curve] + list(others.values())
    low, high = max(0.0, min(values) - 0.3 * (max(values) - min(values))), max(values) * 1.05
    panel = Panel(x, y, width, height, (0, max([number for number, _ in curve] + [1])), (low, high))
    parts = heading(panel, "Learning, round by round",
                    "stores that trained; faint dots: what the noised metric told headquarters")
    parts += frame(panel, ticks(0, panel.x_range[1]), ticks(low, high), "round", label)
    parts += [f'<circle cx="{panel.at_x(number):.1f}" cy="{panel.at_y(value):.1f}" r="2" fill="{STYLES["federated"][0]}" opacity="0.25"/>'
              for number, value in told if low <= value <= high]
    for method, value in others.items():
        at = panel.at_y(value)
        parts.append(line(panel.x, at, panel.x + panel.width, at, STYLES.get(method, BASELINE_STYLE)[0], 1.5, "6 4"))
    points = " ".join(f"{panel.at_x(number):.1f},{panel.at_y(value):.1f}" for number, value in curve)
    parts.append(f'<polyline points="{points}" fill="none" stroke="{STYLES["federated"][0]}" stroke-width="2.2" '
                 'stroke-linejoin="round"/>')
    parts += [mark(panel.at_x(number), panel.at_y(value), "federated", 4) for number, value in curve]
    return parts


def price_of_privacy(results, x, y, width, height):
    prices = [price for price in results["privacy"].get("prices") or [] if price["epsilon_aggregate"]]
    if not prices:
        return [text(x, y, "This plan adds no noise: no epsilon", 13, colour=FAINT)]
    values = [price["epsilon_aggregate"] for price in prices]
    low, high = 10 ** math.floor(math.log10(min(values))), 10 ** math.ceil(math.log10(max(values)) + 1e-9)
    panel = Panel(x, y, width, height, (prices[0]["stores"] / 1.5, prices[-1]["stores"] * 1.5), (low, high), True, True)
    unit = results["privacy"]["unit"]
    parts = heading(panel, "What the same plan costs in a larger chain",
                    f"epsilon of a {unit} at delta {results['privacy']['delta']:g}, towards whoever sees sums")
    parts += frame(panel, [price["stores"] for price in prices], decades(low, high), "stores in each round", "epsilon (log scale)")
    points = [(panel.at_x(price["stores"]), panel.at_y(price["epsilon_aggregate"])) for price in prices]
    joined = " ".join(f"{at_x:.1f},{at_y:.1f}" for at_x, at_y in points)
    parts.append(f'<polyline points="{joined}" fill="none" stroke="{STYLES["federated"][0]}" stroke-width="2.2"/>')
    for (at_x, at_y), price in zip(points, prices):
        value = price["epsilon_aggregate"]
        label = f"{value:,.0f}" if value >= 100 else f"{value:.2g}" if value < 1 else f"{value:.1f}"
        parts += [mark(at_x, at_y, "federated"), text(at_x, at_y - 12, label, 12, "middle", weight="bold")]
    return parts


def svg(results):
    stores, rounds = results["stores"], results["rounds"]["committed"]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="DejaVu Sans, Verdana, Helvetica, Arial, sans-serif">',
        f'<title>{escape(results["title"])}</title>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>',
        text(70, 38, results["title"], 20, weight="bold"),
        text(70, 60, f"{stores['trained']} stores train one model over {rounds} rounds; {stores['held_out']} stores and the last weeks "
             "of all are held out", 13, colour=FAINT),
    ]
    parts += legend(76, 88, shown(results))
    parts += scores_by_store(results, 70, 150, WIDTH - 110, 190)
    parts += learning_curve(results, 70, 460, 450, 200)
    parts += price_of_privacy(results, 640, 460, 440, 200)
    return "\n".join(parts + ["</svg>", ""])
