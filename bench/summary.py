"""Every figure of a benchmark run that has an aim, beside it: python3 bench/summary.py FOLDER, the folder of `./dev bench --json`."""
import json
import pathlib
import re
import sys

MIB = 1 << 20


def fold(benchmarks):
    for row in benchmarks:
        if row["name"].startswith("FoldFromMemory"):
            length = int(re.search(r"length:(\d+)", row["name"])[1])
            offset = "" if "offset:0" in row["name"] else ", unaligned"
            yield f"fold of {length:,} coordinates{offset}, of plain addition", row["of_machine"], "", "at least", 0.70
        elif row["name"].startswith("FoldFromSpool"):
            length = int(re.search(r"length:(\d+)", row["name"])[1])
            yield f"fold of {length:,} coordinates out of the spool, of plain addition", row["of_machine"], "", "", None


def spool(benchmarks):
    times = {}
    for row in benchmarks:
        received = re.match(r"ReceiveRound/bytes:(\d+)/fold:([01])", row["name"])
        if received:
            times.setdefault(int(received[1]), {})[received[2]] = row["real_time"]
    for size, ways in times.items():
        if len(ways) == 2:
            yield f"receiving updates of {size:,} bytes and folding them meanwhile, of receiving alone", ways["1"] / ways["0"], "", "", None


def rounds(benchmarks):
    for row in benchmarks:
        _, length, stores = row["name"].split("/")
        what = f"round of {int(length):,} parameters, {stores} stores"
        if int(length) >= 1_000_000:
            yield f"{what}, of bare transfer", row["ratio"], "", "at most", 2
        elif int(stores) == 100:
            yield what, row["real_time"], "ms", "under", 150
        if int(length) == 10_000_000:
            yield f"{what}, peak memory", row["resident_peak_bytes"] / MIB, "MiB", "under", (3 * 4 * int(length)) / MIB + 128


def waiting(benchmarks):
    for row in benchmarks:
        if row["limit"]:
            yield row["name"], row["value"], row["unit"], "under", row["limit"]


def load(benchmarks):
    for row in benchmarks:
        yield row["name"], row["value"], row["unit"], row["kind"], row["aim"] if row["kind"] else None


def training(benchmarks):
    rows = {row["name"].split("/iterations")[0].removesuffix("/manual_time").removesuffix("/real_time"): row for row in benchmarks}
    times = {name: row["real_time"] for name, row in rows.items()}
    yield "a training step in the worker, of plain LibTorch", times["step/worker"] / times["step/libtorch"], "", "at most", 1.10
    yield "worker's start and one epoch", times["task/cold"], "ms", "", None
    yield "worker's start to the end of its first batch", rows["task/cold"]["first_batch_ms"], "ms", "", None
    yield "one epoch in a warm worker", times["task/warm"], "ms", "", None
    yield "a warm worker's task to the end of its first batch", rows["task/warm"]["first_batch_ms"], "ms", "", None


def accounting(benchmarks):
    for row in benchmarks:
        if row["name"] == "ByLossDistributions/jobs:10":
            yield "accounting of ten jobs' year by loss distributions", row["real_time"], "ms", "under", 100


def noise(benchmarks):
    for row in benchmarks:
        sigma = int(re.search(r"sigma:(\d+)", row["name"])[1])
        yield f"exact noise of sigma {sigma:,}", row["items_per_second"] / 1e6, "M samples/s", "at least", row["aim"] / 1e6


def masks(benchmarks):
    for row in benchmarks:
        if "aim" in row and "of_openssl" in row:
            yield f"{row['name'].split('/iterations')[0]}, of plain AES", row["of_openssl"], "", "at least", row["aim"]


def secure_sum(benchmarks):
    for row in benchmarks:
        if row["name"].startswith("Cohort/stores:1000/d:1000000/dropout:100/"):
            what = "secure sum of 1,000 stores, 1,000,000 coordinates, 10 % lost"
            yield f"{what}: headquarters, by the clock", row["server_wall_s"], "s", "under", 15
            yield f"{what}: a store's processor time", row["store_s"], "s", "under", 0.5
            yield f"{what}: a store's upload, of the plain vector", row["upload_of_plain"], "", "at most", 1.05
        elif row["name"].startswith("OneCore/"):
            stores = {"0": "cheap certificates", "1": "strangers' certificates", "2": "certificates of stores that met"}
            what = stores[re.search(r"ecdsa:(\d)", row["name"])[1]]
            yield f"secure sum of 100 stores on one core, {what}", row["everybody_s"], "s", "under", 1


def secure_rounds(benchmarks):
    for row in benchmarks:
        stores = row["name"].split("/")[1]
        yield f"round of {stores} agents without the secure sum", row["plain"], "s", "", None
        yield f"round of {stores} agents, added by the secure sum", row["added"], "s", "under", 2


def customers(benchmarks):
    """The way that a plan gets. The aims: 2 for the perceptron, 4 for the others."""
    for row in benchmarks:
        name = re.match(r"(.+)/(\d+)_rows_each/outer", row["name"])
        if name:
            aim = ("at most", 2) if name[1] == "mlp" else ("under", 4)
            yield f"customers' gradients, {name[1]}, {name[2]} rows each, of a plain step", row["factor"], "", *aim


READERS = {"fold_bench": fold, "spool_bench": spool, "round_bench": rounds, "waiting_bench": waiting, "load_bench": load, "training_bench": training,
           "accounting_bench": accounting, "noise_bench": noise, "mask_bench": masks, "secagg_bench": secure_sum,
           "secure_rounds": secure_rounds, "customers_bench": customers}
HOLDS = {"at most": lambda value, aim: value <= aim, "under": lambda value, aim: value < aim,
         "at least": lambda value, aim: value >= aim, "": lambda value, aim: True}


def figures(folder):
    for name, reader in READERS.items():
        path = folder / f"{name}.json"
        if path.exists():
            rows = json.loads(path.read_text())["benchmarks"]
            yield from reader([row for row in rows if not row.get("error_occurred") and row.get("run_type") != "aggregate"])


def main(folder):
    rows = list(figures(pathlib.Path(folder)))
    width = max((len(row[0]) for row in rows), default=0)
    missed = 0
    for what, value, unit, kind, aim in rows:
        missed += not HOLDS[kind](value, aim)
        aimed = f"{kind} {aim:g}" if kind and aim == round(aim, 2) else f"{kind} {aim:.0f}" if kind else "reported only"
        print(f"  {what:{width}}  {value:9.2f} {unit:11}  {aimed:14}{'' if HOLDS[kind](value, aim) else '  MISSED'}")
    print(f"  Figures: {len(rows)}, missed: {missed}. Another load on this machine changes them: trust the ratios.")


if __name__ == "__main__":
    main(*sys.argv[1:])
