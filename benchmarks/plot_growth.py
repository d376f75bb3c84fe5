# /// script
# requires-python = ">=3.11"
# dependencies = ["matplotlib>=3.9"]
# ///
"""Plot how long each act took in stores of different size: their median, and from the
least to 95 of 100.

uv run --no-project --script benchmarks/plot_growth.py TAKEN.json PICTURE.svg
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median, quantiles

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot as plt


def main() -> None:
    taken = json.loads(Path(sys.argv[1]).read_text())
    figure, axes = plt.subplots(figsize=(8, 4), layout="tight")
    for name, by_size in taken.items():
        sizes, values = list(map(int, by_size)), list(by_size.values())
        middles = [median(each) for each in values]
        axes.plot(sizes, middles, marker="o", label=name)
        most = [quantiles(each, n=20)[-1] for each in values]
        axes.fill_between(sizes, list(map(min, values)), most, alpha=0.2)
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("jobs that are queued, beside those of other statuses")
    axes.set_ylabel("ms")
    axes.legend()
    figure.savefig(sys.argv[2])


if __name__ == "__main__":
    main()
