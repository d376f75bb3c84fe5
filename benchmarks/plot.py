# /// script
# requires-python = ">=3.11"
# dependencies = ["matplotlib>=3.9"]
# ///
"""Plot the results of a run: one picture per work, a bar per contestant and store.

uv run --no-project --script benchmarks/plot.py RESULTS.json FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot as plt


def plot(title: str, samples: list[dict[str, Any]], file: Path) -> None:
    """One picture; the whiskers are the least and the most of the repeats."""
    name = "p50" if samples[0]["rate"] is None else "rate"
    bars: dict[str, list[float]] = {}
    for each in samples:
        label = f"{each['contestant']}, {each['store']}"
        bars.setdefault(label, []).append(each[name])
    middles = [median(values) for values in bars.values()]
    whiskers = [
        [median(values) - min(values) for values in bars.values()],
        [max(values) - median(values) for values in bars.values()],
    ]
    colours = ["C0" if label.startswith("jobcore") else "C7" for label in bars]
    figure, axes = plt.subplots(figsize=(8, 1 + 0.4 * len(bars)), layout="tight")
    axes.barh(list(bars), middles, xerr=whiskers, color=colours, capsize=3)
    axes.invert_yaxis()
    axes.set_title(title)
    axes.set_xlabel("jobs per second" if name == "rate" else "ms (p50)")
    figure.savefig(file)
    plt.close(figure)


def main() -> None:
    results = json.loads(Path(sys.argv[1]).read_text())
    folder = Path(sys.argv[2])
    for work, title in results["works"].items():
        samples = [each for each in results["samples"] if each["work"] == work]
        if samples:
            plot(title, samples, folder / f"{work}.svg")


if __name__ == "__main__":
    main()
