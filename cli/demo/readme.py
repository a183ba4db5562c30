"""Puts a demo run's results between README.md's markers: readme.py RESULTS.json README.md"""
import json
import os
import re
import shutil
import sys

import report

MARKED = re.compile(r"(<!-- demo: begin[^\n]*-->\n).*?(<!-- demo: end -->)", re.DOTALL)


def insert(page, results, plot):
    if not MARKED.search(page):
        raise ValueError("no <!-- demo: begin … --> and <!-- demo: end --> in the page")
    return MARKED.sub(lambda match: match.group(1) + report.markdown(results, plot) + "\n" + match.group(2), page)


def main(results_path, page_path):
    with open(results_path, encoding="utf-8") as file:
        results = json.load(file)
    plot = None
    if results.get("plot") and os.path.exists(results["plot"]):
        plot = "docs/demo.svg"
        shown = os.path.join(os.path.dirname(os.path.abspath(page_path)), plot)
        if os.path.realpath(results["plot"]) != os.path.realpath(shown):
            shutil.copyfile(results["plot"], shown)
    with open(page_path, encoding="utf-8") as file:
        page = insert(file.read(), results, plot)
    with open(page_path, "w", encoding="utf-8") as file:
        file.write(page)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"readme: {error}")
