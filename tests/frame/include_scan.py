"""Who may include whom. Reads every C++ file of ours and holds its #include lines against the table below.

Run as `include_scan.py ROOT`: prints each breach as file:line and exits 1 if there is one. The design's picture:

    base  <-  aggregation  <-  privacy  <-  plans
    coordinator/round, store-agent/agent   (pure cores)  ->  base, aggregation, privacy, plans
    coordinator/*, store-agent/*           (adapters)    ->  their core, proto/convert, base/storage, base/net ...
    store-agent/worker                     ->  LibTorch, base, privacy, plans
    coordinator and store-agent never include each other
"""
import os
import re
import sys
from typing import NamedTuple


class Rule(NamedTuple):
    """What files under a folder may include; the longest matching folder decides."""
    folder: str
    ours: tuple     # Folders of ours, besides the file's own; or single headers.
    outside: tuple  # Families of outside headers.


# Outside headers that touch the world or weigh much, by family. What isn't named here (the standard library's pure part,
# absl's Status and Time, fmt) is open to all.
FAMILIES = {
    "torch": ("torch/", "ATen/", "c10/"),
    "grpc": ("grpc/", "grpcpp/", "grpc++/"),
    "protobuf": ("google/protobuf/", "aisle/v1/", "google/rpc/"),
    "rocksdb": ("rocksdb/",),
    "openssl": ("openssl/",),
    "prometheus": ("prometheus/",),
    "http": ("httplib.h",),
    "toml": ("toml++/",),
    "cli": ("CLI/",),
    "json": ("nlohmann/",),
    "log": ("spdlog/",),
    "sandbox": ("seccomp.h", "linux/", "sys/prctl.h", "sys/resource.h", "sys/syscall.h"),
    "zip": ("zlib.h", "zstd.h"),
    "testing": ("gtest/", "gmock/", "rapidcheck.h", "rapidcheck/", "benchmark/"),
    "absl-sync": ("absl/synchronization/",),
    "files": ("fstream", "filesystem", "iostream", "unistd.h", "fcntl.h", "dirent.h", "sys/stat.h", "sys/statvfs.h",
              "sys/file.h", "sys/mman.h", "sys/inotify.h", "sys/types.h", "sys/uio.h", "sys/vfs.h"),
    "sockets": ("sys/socket.h", "netinet/", "arpa/", "netdb.h", "poll.h", "sys/poll.h", "sys/epoll.h",
                "sys/eventfd.h", "sys/un.h"),
    "processes": ("sys/wait.h", "signal.h", "csignal", "spawn.h", "sched.h", "sys/signalfd.h", "pwd.h", "grp.h",
                  "malloc.h", "dlfcn.h", "sys/auxv.h", "cpuid.h", "sys/time.h", "sys/times.h", "sys/sysinfo.h"),
    "threads": ("thread", "mutex", "shared_mutex", "condition_variable", "future", "atomic", "semaphore", "latch",
                "barrier", "stop_token", "pthread.h"),
    "clocks": ("chrono", "ctime", "time.h"),
    "dice": ("random",),
}

NOTHING = ()
SYSTEM = ("files", "sockets", "processes", "threads", "clocks", "absl-sync")
ADAPTER = SYSTEM + ("protobuf", "grpc", "openssl", "log", "json")

PURE = ("base", "aggregation", "privacy", "plans")
DOORS = ("base/storage", "base/identity", "base/net", "proto")

# A header belongs to the longest folder here that holds it, and a rule speaks of exactly its own headers: `base` is the
# vocabulary without base/net. Tests and benchmarks may include anything of ours.
RULES = (
    Rule("base", (), ("openssl", "toml", "files", "threads", "clocks", "absl-sync", "log", "processes", "sandbox")),
    Rule("base/storage", ("base",), ("rocksdb",) + SYSTEM),
    Rule("base/identity", ("base", "base/storage"), ("openssl",) + SYSTEM),
    Rule("base/net", ("base", "base/storage", "base/identity", "proto"),
         ("grpc", "protobuf", "openssl", "http", "prometheus", "log", "json") + SYSTEM),
    Rule("aggregation", ("base",), NOTHING),
    Rule("privacy", ("base", "aggregation"), NOTHING),
    Rule("plans", ("base", "base/storage", "aggregation", "privacy"), ("files",)),
    Rule("proto", PURE, ("protobuf",)),
    Rule("coordinator", PURE + DOORS + ("coordinator/round",), ADAPTER + ("prometheus", "cli")),
    Rule("coordinator/round", PURE, NOTHING),
    Rule("store-agent", PURE + DOORS + ("store-agent/agent", "store-agent/tables", "store-agent/supervisor"),
         ADAPTER + ("prometheus", "cli", "sandbox", "zip")),
    Rule("store-agent/agent", PURE, NOTHING),
    Rule("store-agent/tables", ("base", "base/storage", "plans"), ("openssl",) + SYSTEM),
    Rule("store-agent/supervisor", PURE + ("base/storage", "proto", "store-agent/agent"),
         SYSTEM + ("protobuf", "sandbox", "log")),
    Rule("store-agent/worker", PURE + ("base/storage", "proto", "store-agent/supervisor/frames.h", "store-agent/supervisor/wipe_task.h"), ("torch", "sandbox", "protobuf") + SYSTEM),
    Rule("cli", PURE + DOORS + ("store-agent", "store-agent/tables", "store-agent/supervisor"), ADAPTER + ("cli",)),
    Rule("bench", (), tuple(FAMILIES)),
    Rule("tests", (), tuple(family for family in FAMILIES if family != "torch")),
    Rule("tests/store-agent-worker", (), tuple(FAMILIES)),
    Rule("tests/plans", (), tuple(FAMILIES)),
)

# LibTorch's headers stay out of every header of ours; so do these, which would drag a library into all who include us.
NEVER_IN_HEADERS = ("torch", "rocksdb", "toml", "http")

# Words that reach for the world where only values may come and go.
PURE_FOLDERS = ("aggregation", "privacy", "coordinator/round", "store-agent/agent")
IMPURE_WORDS = re.compile(r"\babsl::(?:Now|SleepFor)\b|\bSystemClock\b|\bstd::this_thread\b|\bgetenv\b|\bstd::(?:cout|cerr)\b")
# Randomness that must never come near keys, sampling or noise.
DICE_WORDS = re.compile(r"\bstd::(?:mt19937|random_device|normal_distribution|uniform_\w+_distribution)\b|\btorch::(?:randn\w*|normal|bernoulli|multinomial)\b"
                        r"|\bstd::s?rand\b|(?<!:)\bs?rand\s*\(")

FREE = ("tests/", "bench/")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
SOURCES = (".h", ".cc", ".inc")
ROOTS = tuple(sorted({rule.folder.split("/")[0] for rule in RULES}))


def rule_of(path):
    fitting = [rule for rule in RULES if path.startswith(rule.folder + "/")]
    return max(fitting, key=lambda rule: len(rule.folder)) if fitting else None


def family_of(header):
    for family, prefixes in FAMILIES.items():
        for prefix in prefixes:
            if header == prefix or (prefix.endswith("/") and header.startswith(prefix)):
                return family
    return None


def breach_of(path, quoted, header):
    """Says what is wrong with one include line, or None."""
    rule = rule_of(path)
    family = family_of(header)
    if family is not None:
        if family == "dice" and not path.startswith(FREE):
            return "<random> makes no keys, samples or noise here: take a RandomSource"
        if family not in rule.outside:
            return f"{rule.folder} may not use {family} ({header})"
        if family in NEVER_IN_HEADERS and path.endswith(".h") and not path.startswith(FREE):
            return f"{family} stays inside .cc files ({header})"
        return None
    if not quoted:
        return None
    target = rule_of(header)
    if target is None:
        return f'"{header}" isn\'t named from the root of the project'
    if path.startswith(FREE) or target.folder == rule.folder or target.folder in rule.ours or header in rule.ours:
        return None
    return f"{rule.folder} may not include {target.folder} ({header})"


def breaches(path, text):
    found = []
    product = not path.startswith(FREE)
    pure = rule_of(path).folder in PURE_FOLDERS
    for number, line in enumerate(text.splitlines(), start=1):
        include = INCLUDE.match(line)
        if include:
            why = breach_of(path, include.group(1) == '"', include.group(2))
            if why:
                found.append((number, why))
            continue
        code = line.split("//")[0]
        if pure and IMPURE_WORDS.search(code):
            found.append((number, f"{IMPURE_WORDS.search(code).group()} in pure code: time and the world are handed in"))
        if product and DICE_WORDS.search(code):
            found.append((number, f"{DICE_WORDS.search(code).group()}: randomness comes from a RandomSource"))
    return found


def scan(root):
    total = 0
    for top in ROOTS:
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                if not name.endswith(SOURCES):
                    continue
                path = os.path.relpath(os.path.join(folder, name), root)
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    for number, why in breaches(path, file.read()):
                        print(f"{path}:{number}: {why}")
                        total += 1
    return total


if __name__ == "__main__":
    sys.exit(1 if scan(sys.argv[1]) else 0)
