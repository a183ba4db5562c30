"""Where the demo meets the programs' file formats: their settings, and the figures their JSON holds."""
import math
import os
import re


def coordinator(chain_folder, http_port):
    """The path of the settings `aisle init` wrote, with a metrics port that is free on this machine."""
    path = os.path.join(chain_folder, "coordinator.toml")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    text, changed = re.subn(r'(?m)^(\s*#?\s*metrics_listen\s*=).*$', rf'metrics_listen = "127.0.0.1:{http_port}"', text, count=1)
    if not changed:
        text = f'metrics_listen = "127.0.0.1:{http_port}"\n' + text
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def inbox(folder, table):
    """Where a store's agent looks for files of a table."""
    return os.path.join(folder, "drop", "inbox", table)


def refused(folder):
    return os.path.join(folder, "drop", "refused")


# The demo's sites allow what their twelve stores need: far more epsilon than a real site should.
SITE_POLICY = """\
[privacy]
units = ["store", "none"]
floor_epsilon_per_year = 1000000.0
aggregate_epsilon_per_year = 1000000.0
epsilon_max = 1000000.0
"""


def agent(folder, tables, bin_folder, http_port):
    """Writes a store's agent.toml and site-policy.toml; gives the path of the former."""
    with open(os.path.join(folder, "site-policy.toml"), "w", encoding="utf-8") as file:
        file.write(SITE_POLICY)
    path = os.path.join(folder, "agent.toml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"""\
data = "data"
enrolment = "enrol.toml"
tables = "{os.path.abspath(tables)}"
worker = "{os.path.abspath(bin_folder)}/aisle-worker"
metrics_listen = "127.0.0.1:{http_port}"
""")
    return path


def errors_of(score):
    """RMSE of ln(units) and WAPE of one store, from the sums that the plan's metrics() gives."""
    sums = score["sums"]
    count = sums["count"]
    return {"examples": int(count), "rmse": math.sqrt(sums["squared_error"] / count),
            "wape": sums["absolute_error_units"] / sums["units"],
            "naive_rmse": math.sqrt(sums["naive_squared_error"] / count),
            "naive_wape": sums["naive_absolute_error_units"] / sums["units"]}


def history_point(entry):
    metrics = entry.get("metrics") or {}
    squared = metrics.get("squared_error")
    return {"round": entry["round"]["number"], "loss": metrics.get("loss"),
            "rmse": math.sqrt(max(0.0, squared)) if squared is not None else None,
            "stores": entry["stores_collected"]}

