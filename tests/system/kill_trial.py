"""./dev kill-trial: programs killed at every commit point and at random instants, power cuts, full disks and failed syncs, over a chain of real
processes; every job finishes with the undisturbed chain's model, bit for bit."""
import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time

import trial as trials
from chain import ROOT
from processes import DemoError


def everything(trial, luck, kills):
    """Every commit point by kill -9 and by power cut, then `kills` deaths at random instants, half of them with the power."""
    stores = trial.chain.stores
    trial.join(killed=stores[::2], cut=stores[1::2] if trial.can_cut else ())
    yield "every commit point, kill -9", lambda: trial.ride(trials.all_marks(luck, stores, cut=False))
    if trial.can_cut:
        yield "every commit point, power cut", lambda: trial.ride(trials.all_marks(luck, stores, cut=True), cut=True)
        for name in (trials.COORDINATOR, *stores):
            yield f"full disk: {name}", lambda name=name: trial.ride(full=(name, name))
    while kills > 0:
        some = min(kills, 20)
        kills -= some
        cut = trial.can_cut and kills // 20 % 2 == 1
        name = f"{some} {'power cuts' if cut else 'kills'} at random instants"
        yield name, lambda some=some, cut=cut: trial.ride(kills=some, cut=cut)
    if trial.can_cut:
        yield "failed syncs", lambda: trial.ride(failing=(trials.COORDINATOR, *stores) * 3)


def part(trial, luck):
    """What fits into CI: a part that another seed makes another one."""
    stores = trial.chain.stores
    unlucky = luck.sample(stores, 1)
    if trial.can_cut and luck.random() < 0.5:
        trial.join(killed=(), cut=unlucky)
    else:
        trial.join(killed=unlucky)
    yield "some commit points, kill -9", lambda: trial.ride(trials.some_marks(luck, stores, False, 3, 1))
    if trial.can_cut:
        yield "some commit points, power cut", lambda: trial.ride(trials.some_marks(luck, stores, True, 3, 1), cut=True)
        yield "a full disk", lambda: trial.ride(full=(luck.choice((trials.COORDINATOR, *stores)),))
    yield "kills at random instants", lambda: trial.ride(kills=5)
    if trial.can_cut:
        yield "failed syncs", lambda: trial.ride(failing=(trials.COORDINATOR, luck.choice(stores)))


def run(seed, plan, bin_folder, stores=4, keep=False, tell=print):
    """`plan(trial, luck)` gives the waves. Raises trial.Broken where a fault broke something."""
    folder = tempfile.mkdtemp(prefix="aisle-kills-")
    trial = trials.Trial(folder, bin_folder, stores, seed, tell)
    passed = False
    try:
        trial.begin(seeds=(1, 2))
        for name, ride in plan(trial, random.Random(seed)):
            began = time.monotonic()
            ride()
            tell(f"{name}: {time.monotonic() - began:.1f} s")
        trial.check_ledgers()
        trial.check_patience()
        passed = True
        return trial.report()
    finally:
        trial.stop()
        if not passed:
            trial.show_last_words()
        if passed and not keep:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            tell(f"what the programs left: {folder}")


def interrupt(*_):
    raise KeyboardInterrupt


def main(arguments):
    parser = argparse.ArgumentParser(prog="./dev kill-trial", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, metavar="N", help="deaths at random instants (200)")
    parser.add_argument("--seed", type=int, default=None, help="of where and when everything dies; another each day")
    parser.add_argument("--stores", type=int, default=4, metavar="N", help="agents (4)")
    parser.add_argument("--part", action="store_true", help="only what CI runs")
    parser.add_argument("--keep", action="store_true", help="leave the folder of the programs' files and logs")
    parser.add_argument("--bin", default=os.path.join(ROOT, "build", "dev", "bin"), help="where the programs are")
    options = parser.parse_args(arguments)
    seed = options.seed if options.seed is not None else int(time.time()) // 86400
    again = f"./dev kill-trial --seed {seed}" + (" --part" if options.part else f" --kills {options.kills}")
    print(f"the same again: {again}", flush=True)
    signal.signal(signal.SIGTERM, interrupt)
    plan = part if options.part else lambda trial, luck: everything(trial, luck, options.kills)
    try:
        print(run(seed, plan, options.bin, options.stores, options.keep, lambda text: print(text, flush=True)))
        return 0
    except (trials.Broken, DemoError) as error:
        print(f"\n{error}\nThe same again: {again}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
