"""Where the demo meets the programs' settings."""
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


def agent(folder, tables, bin_folder, http_port, site_policy):
    """Writes a store's agent.toml and site-policy.toml; gives the path of the former."""
    with open(os.path.join(folder, "site-policy.toml"), "w", encoding="utf-8") as file:
        file.write(site_policy)
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
