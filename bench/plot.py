"""The results as a picture."""

from collections.abc import Callable
from pathlib import Path
from typing import Any


def draw(result: dict[str, Any], file: Path) -> bool:
    """Draw what there is of throughput, latency and state; False where matplotlib is not installed."""
    try:
        import matplotlib  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return False
    matplotlib.use("Agg")
    # The same results give the same file.
    matplotlib.rcParams["svg.hashsalt"] = "account-alerts"
    from matplotlib import pyplot

    painters: dict[str, Callable[[Any, Any], None]] = {
        "throughput": _throughput,
        "latency": _latency,
        "state": _state,
    }
    panels = [name for name in painters if result.get(name)]
    figure, axes = pyplot.subplots(
        1, len(panels), figsize=(5.2 * len(panels), 3.8), squeeze=False, layout="constrained"
    )
    for axis, name in zip(axes[0], panels, strict=True):
        painters[name](axis, result[name])
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)
    return True


def _throughput(axis: Any, one: dict[str, Any]) -> None:
    rates = [rate / 1000 for rate in one["per_second"]]
    axis.plot(range(1, len(rates) + 1), rates, color="tab:blue", linewidth=1.5)
    axis.axhline(one["steady"] / 1000, color="tab:gray", linestyle="--", linewidth=1)
    axis.set(title=f"Throughput, {one['bookings'] / 1e6:g} M bookings", xlabel="second of the run")
    axis.set(ylabel="thousand bookings a second", ylim=(0, 1.05 * max(rates)))


def _latency(axis: Any, several: list[dict[str, Any]]) -> None:
    for one in several:
        total, seen, xs, ys = sum(one["distribution"]), 0, [], []
        for milliseconds, count in enumerate(one["distribution"]):
            seen += count
            if count:
                xs.append(milliseconds)
                ys.append(100 * seen / max(total, 1))
        axis.step(xs, ys, where="post", label=f"{one['rate']:g}/s, p99 {one['p99']:g} ms")
    axis.set(
        title="Latency, Kafka to Kafka", xlabel="milliseconds", ylabel="% of alerts no later", xlim=(0, None)
    )
    axis.axhline(99, color="tab:gray", linestyle="--", linewidth=1)
    axis.legend(loc="lower right", frameon=False)


def _state(axis: Any, several: list[dict[str, Any]]) -> None:
    backends = list(dict.fromkeys(one["backend"] for one in several))
    sizes = sorted({one["accounts"] for one in several})
    width = 0.8 / len(backends)
    for number, backend in enumerate(backends):
        rates = {
            one["accounts"]: one["throughput"]["steady"] / 1000
            for one in several
            if one["backend"] == backend
        }
        places = [index + number * width for index, size in enumerate(sizes) if size in rates]
        axis.bar(places, [rates[size] for size in sizes if size in rates], width, label=backend)
    axis.set_xticks([index + width * (len(backends) - 1) / 2 for index in range(len(sizes))])
    axis.set_xticklabels([f"{size / 1e6:g} M" for size in sizes])
    axis.set(title="Throughput as accounts grow", xlabel="accounts", ylabel="thousand bookings a second")
    axis.legend(frameon=False)
