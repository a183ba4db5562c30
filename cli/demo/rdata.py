"""Reads R's .rda files (XDR, versions 2 and 3, plain or gzip/bzip2/xz) with the standard library alone.

`load(path)` gives {name: value}. Vectors become lists (None for NA), lists with names and data frames become dicts.
Enough for data sets: closures and environments are refused. Format: R Internals, section 1.8, and R's serialize.c.
"""
import bz2
import gzip
import lzma
import struct

_SYMBOL, _PAIRLIST, _CHARS, _LOGICAL, _INTEGER, _REAL, _STRINGS, _LIST = 1, 2, 9, 10, 13, 14, 16, 19
_ALTREP, _ATTRIBUTE_LIST, _NIL, _REFERENCE = 238, 239, 254, 255
_GLOBALS = {241: "missing", 242: "base", 247: "unbound", 251: "missing", 252: "empty", 253: "global"}
_NA_INTEGER = -2147483648
_NA_REAL_LOW_WORD = 1954


class RDataError(ValueError):
    pass


def load(path):
    with open(path, "rb") as file:
        raw = file.read()
    for magic, expand in ((b"\x1f\x8b", gzip.decompress), (b"BZh", bz2.decompress), (b"\xfd7zXZ", lzma.decompress)):
        if raw.startswith(magic):
            raw = expand(raw)
            break
    if raw[:7] not in (b"RDX2\nX\n", b"RDX3\nX\n"):
        raise RDataError(f"{path}: not an XDR .rda file (it begins {raw[:8]!r})")
    try:
        return _Reader(raw, 7).file()
    except (struct.error, IndexError) as error:
        raise RDataError(f"{path}: cut short ({error})") from error


class _Vector(list):
    """A list with R's attributes."""
    attributes = None


class _Reader:
    def __init__(self, raw, offset):
        self.raw, self.at = raw, offset
        self.references = []

    def file(self):
        version = self.int()
        self.at += 8  # The R that wrote it, the oldest that reads it.
        if version == 3:
            self.bytes(self.int())  # Native encoding.
        elif version != 2:
            raise RDataError(f"serialisation version {version}; 2 and 3 are known")
        return {name: _plain(value) for name, value in self.item()}

    def bytes(self, count):
        if count < 0 or self.at + count > len(self.raw):
            raise RDataError(f"cut short: {count} bytes wanted at {self.at} of {len(self.raw)}")
        self.at += count
        return self.raw[self.at - count:self.at]

    def int(self):
        return struct.unpack(">i", self.bytes(4))[0]

    def length(self):
        count = self.int()
        return count if count >= 0 else (self.int() << 32) + (self.int() & 0xFFFFFFFF)

    def item(self):
        flags = self.int()
        kind, has_attributes, has_tag = flags & 0xFF, flags & 0x200, flags & 0x400
        if kind == _NIL or kind in _GLOBALS:
            return []
        if kind == _REFERENCE:
            return self.references[(flags >> 8 or self.int()) - 1]
        if kind == _SYMBOL:
            name = self.item()
            self.references.append(name)
            return name
        if kind in (_PAIRLIST, _ATTRIBUTE_LIST):
            return self.pairlist(has_attributes, has_tag)
        if kind == _CHARS:
            count = self.int()
            return None if count == -1 else self.bytes(count).decode("utf-8", "replace")
        if kind == _ALTREP:
            return self.altrep()
        value = _Vector(self.vector(kind))
        if has_attributes:
            value.attributes = dict(self.item())
        return value

    def pairlist(self, has_attributes, has_tag):
        """As (tag, value) pairs; a loop, since R nests a long list as deep as it is long."""
        pairs = []
        while True:
            if has_attributes:
                self.item()
            tag = self.item() if has_tag else None
            pairs.append((tag, self.item()))
            flags = self.int()
            if flags & 0xFF not in (_PAIRLIST, _ATTRIBUTE_LIST):
                if flags & 0xFF != _NIL:
                    raise RDataError("a dotted pair list")
                return pairs
            has_attributes, has_tag = flags & 0x200, flags & 0x400

    def vector(self, kind):
        count = self.length()
        if kind in (_INTEGER, _LOGICAL):
            values = struct.unpack(f">{count}i", self.bytes(4 * count))
            return [None if value == _NA_INTEGER else value for value in values]
        if kind == _REAL:
            raw = self.bytes(8 * count)
            values = struct.unpack(f">{count}d", raw)
            return [None if value != value and raw[8 * i + 4:8 * i + 8] == struct.pack(">i", _NA_REAL_LOW_WORD) else value
                    for i, value in enumerate(values)]
        if kind in (_STRINGS, _LIST):
            return [self.item() for _ in range(count)]
        raise RDataError(f"no reader for R objects of type {kind}")

    def altrep(self):
        """Compact forms of version 3: sequences, strings not yet made, wrappers."""
        info, state, attributes = self.item(), self.item(), self.item()
        name = info[0][1] if info else None
        if name in ("compact_intseq", "compact_realseq"):
            count, first, step = (int(value) for value in state)
            value = _Vector(range(first, first + step * count, step))
        elif name == "deferred_string":
            value = _Vector(str(entry) for entry in state[0][1])
        elif name and name.startswith("wrap_"):
            value = state[0] if isinstance(state, _Vector) else state[0][1]
        else:
            raise RDataError(f"no reader for the compact form {name}")
        if attributes:
            value.attributes = dict(attributes)
        return value


def _plain(value):
    if not isinstance(value, _Vector):
        return value
    names = (value.attributes or {}).get("names")
    entries = [_plain(entry) for entry in value]
    return dict(zip(names, entries)) if names else entries
