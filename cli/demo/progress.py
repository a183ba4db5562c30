"""The live line: what the job is doing, redrawn in a terminal, one line per round elsewhere."""
import shutil
import sys

from report import bytes_text


class Progress:
    def __init__(self, stream=sys.stderr):
        self.stream = stream
        self.live = stream.isatty()
        self.drawn = 0

    def step(self, text):
        self._clear()
        print(f"  {text}", file=self.stream, flush=True)

    def show(self, text):
        """Something that changes often: only for eyes."""
        if not self.live:
            return
        width = shutil.get_terminal_size().columns - 1
        print("\r" + text[:width].ljust(self.drawn), end="", file=self.stream, flush=True)
        self.drawn = len(text[:width])

    def _clear(self):
        if self.drawn:
            print("\r" + " " * self.drawn + "\r", end="", file=self.stream)
            self.drawn = 0


def snapshot_text(view):
    """One line of a job's state as `aisle job watch` tells it."""
    parts = [f"round {view['round']}/{view['rounds']}", f"{view['phase']:<10}"]
    parts.append(f"stores in {view['stores_in']}/{view['stores_asked']}")
    if view["loss"] is not None:
        parts.append(f"loss {view['loss']:.4f}")
    parts.append(f"epsilon {view['epsilon']:.2f}")
    parts.append(f"up {bytes_text(view['bytes_up'])}")
    eta = eta_seconds(view)
    if eta is not None:
        parts.append(f"{eta:.0f} s to go")
    done = view["committed"] / max(1, view["rounds"])
    bar = "#" * round(20 * done)
    return f"  [{bar:-<20}] " + "  ".join(parts)


def eta_seconds(view):
    """By the median round so far; None before there is one."""
    if not view["seconds_per_round"]:
        return None
    return view["seconds_per_round"] * (view["rounds"] - view["committed"])
