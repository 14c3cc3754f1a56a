#!/usr/bin/env python3
"""An independent model of a replay: what the counts of a trace must be.

    replay_model.py FILE [--order 1998|python3] [--mark] [--table N]
                         [--negative] [--drop]

FILE is a trace, plain or .xz.  --table implies --mark; N = 0 has no limit.  Prints the
counts as JSON.  The rules are those of data/traces/README.md, in plain dictionaries
and lists; nothing of the library is used.  What a get finds is computed anew from the
classes and instances, and `disagreements` counts where the trace says otherwise.
"""

import argparse
import json
import lzma
from collections import Counter
from dataclasses import dataclass, field

LEFT_OUT = {"__class__", "__dict__"}
MISSING = object()


# The recorded program's state -----------------------------------------------


@dataclass
class Class:
    flags: str
    order: list  # the mro, of class ids
    names: dict  # symbol -> whether its value is a data descriptor


def ids(text):
    return [] if text == "-" else [int(part) for part in text.split(",")]


def marked_names(text):
    if text == "-":
        return {}
    return {int(part.rstrip("!")): part.endswith("!") for part in text.split(",")}


@dataclass
class World:
    """Classes and instance dictionaries, as the lines of a trace tell of them."""

    classes: dict = field(default_factory=dict)
    instances: dict = field(default_factory=lambda: {0: set()})

    def search(self, cls, sym):
        """The class search: (place in the mro, data descriptor?), or None."""
        for place, base in enumerate(self.classes[cls].order):
            data = self.classes[base].names.get(sym)
            if data is not None:
                return place, data
        return None

    def holds(self, obj, cls, sym):
        return "d" in self.classes[cls].flags and sym in self.instances[obj]

    def outcome(self, cls, obj, sym, implicit):
        """What a get finds, in the words of the trace."""
        found = self.search(cls, sym)
        inside = not implicit and self.holds(obj, cls, sym)
        if found is None:
            return "i" if inside else "h" if "g" in self.classes[cls].flags else "n"
        place, data = found
        letter = ("D" if inside else "d") if data else ("i" if inside else "c")
        return f"{letter}{place}"


# One way of looking up ------------------------------------------------------


@dataclass(frozen=True)
class Knobs:
    order: str = "1998"
    mark: bool = False
    table: int | None = None  # None: no tables; 0: no limit
    negative: bool = False
    drop: bool = False


class Scheme:
    """Counts what the gets of a world cost."""

    def __init__(self, world, knobs):
        self.world = world
        self.knobs = knobs
        self.marks = knobs.mark or knobs.table is not None
        self.marked = set()
        self.excluded = set()
        self.index = {}  # symbol -> its number in this generation
        self.generation = 1
        self.tables = {}  # class -> [generation, {symbol: found}]
        self.count = Counter()

    def get(self, cls, obj, sym, implicit):
        asks = "d" in self.world.classes[cls].flags
        asks = asks and (not self.marks or sym in self.marked)
        if self.knobs.order == "python3":
            self.get_class_first(cls, obj, sym, asks and not implicit)
        else:
            self.get_instance_first(cls, obj, sym, implicit, asks)

    def get_instance_first(self, cls, obj, sym, implicit, asks):
        if asks:
            self.count["instance"] += 1
            if not implicit and sym in self.world.instances[obj]:
                return
        if self.look_up(cls, sym) is None:
            self.count["not found"] += 1

    def get_class_first(self, cls, obj, sym, asks):
        found = self.look_up(cls, sym)
        if found is not None and found[1]:
            return
        if asks:
            self.count["instance"] += 1
            if sym in self.world.instances[obj]:
                return
        if found is None:
            self.count["not found"] += 1

    # The class: through a table, or by search

    def look_up(self, cls, sym):
        if self.knobs.table is None or sym in self.excluded:
            return self.search(cls, sym)
        self.give_number(sym)
        cells = self.cells_of(cls)
        found = cells.get(sym, MISSING)
        if found is not MISSING:
            self.count["hits"] += 1
            return found
        self.count["misses"] += 1
        found = self.search(cls, sym)
        if found is not None or self.knobs.negative:
            cells[sym] = found
        return found

    def search(self, cls, sym):
        found = self.world.search(cls, sym)
        whole = len(self.world.classes[cls].order)
        self.count["class"] += whole if found is None else found[0] + 1
        return found

    def give_number(self, sym):
        if sym in self.index:
            return
        if self.knobs.table and len(self.index) == self.knobs.table:
            self.index.clear()
            self.generation += 1
        self.index[sym] = len(self.index)

    def cells_of(self, cls):
        table = self.tables.setdefault(cls, [self.generation, {}])
        if table[0] != self.generation:
            table[0] = self.generation
            table[1].clear()
        return table[1]

    # Changes

    def instance_has(self, sym):
        self.marked.add(sym)

    def class_changed(self, sym):
        if not self.knobs.drop:
            self.excluded.add(sym)
        for _, cells in self.tables.values():
            cells.pop(sym, None)

    def order_changed(self):
        for _, cells in self.tables.values():
            cells.clear()

    def result(self):
        """The counts, by the names of the program's columns."""
        count = self.count
        tables = self.knobs.table is not None
        return {
            "instance": count["instance"],
            "class": count["class"],
            "total": count["instance"] + count["class"],
            "hits": count["hits"],
            "misses": count["misses"],
            "generations": self.generation if tables else None,
            "excluded": len(self.excluded) if tables else None,
            "not found": count["not found"],
        }


# The replay -----------------------------------------------------------------


class Replay:
    """Reads a trace once, for any number of schemes."""

    def __init__(self, schemes):
        """`schemes`: a list of Knobs."""
        self.world = World()
        self.schemes = [Scheme(self.world, knobs) for knobs in schemes]
        self.left_out = set()
        self.gets = 0
        self.disagreements = 0
        self.readers = {
            "Y": self.symbol,
            "K": self.new_class,
            "M": self.new_order,
            "O": self.new_object,
            "g": self.explicit_get,
            "q": self.implicit_get,
            "s": self.own_set,
            "us": self.own_set,
            "r": self.own_removed,
            "ur": self.own_removed,
            "S": self.class_set,
            "uS": self.class_set,
            "R": self.class_removed,
            "uR": self.class_removed,
        }

    def read(self, lines):
        for line in lines:
            word, *fields = line.split()
            reader = self.readers.get(word)
            if reader:
                reader(*fields)
        return self

    def results(self):
        return [scheme.result() for scheme in self.schemes]

    def symbol(self, sym, text):
        if text in LEFT_OUT:
            self.left_out.add(int(sym))

    def new_class(self, cls, flags, _qualname, _bases, mro, names):
        self.world.classes[int(cls)] = Class(flags, ids(mro), marked_names(names))

    def new_order(self, cls, _flags, _bases, mro):
        self.world.classes[int(cls)].order = ids(mro)
        for scheme in self.schemes:
            scheme.order_changed()

    def new_object(self, obj, _cls, names):
        self.world.instances[int(obj)] = set()
        for sym in ids(names):
            self.own_set(obj, sym)

    def own_set(self, obj, sym):
        self.world.instances[int(obj)].add(int(sym))
        for scheme in self.schemes:
            scheme.instance_has(int(sym))

    def own_removed(self, obj, sym):
        self.world.instances[int(obj)].discard(int(sym))

    def class_set(self, cls, sym, mark=""):
        self.world.classes[int(cls)].names[int(sym)] = mark == "!"
        self.class_changed(int(sym))

    def class_removed(self, cls, sym):
        self.world.classes[int(cls)].names.pop(int(sym), None)
        self.class_changed(int(sym))

    def class_changed(self, sym):
        for scheme in self.schemes:
            scheme.class_changed(sym)

    def explicit_get(self, obj, cls, sym, _site, out):
        self.get(int(cls), int(obj), int(sym), out, False)

    def implicit_get(self, obj, cls, sym, _site, out):
        self.get(int(cls), int(obj), int(sym), out, True)

    def get(self, cls, obj, sym, out, implicit):
        if sym in self.left_out or "h" not in self.world.classes[cls].flags:
            return
        self.gets += 1
        self.disagreements += self.world.outcome(cls, obj, sym, implicit) != out
        for scheme in self.schemes:
            scheme.get(cls, obj, sym, implicit)


def open_trace(path):
    if str(path).endswith(".xz"):
        return lzma.open(path, "rt", encoding="utf-8")
    return open(path, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file")
    parser.add_argument("--order", choices=["1998", "python3"], default="1998")
    parser.add_argument("--mark", action="store_true")
    parser.add_argument("--table", type=int)
    parser.add_argument("--negative", action="store_true")
    parser.add_argument("--drop", action="store_true")
    options = vars(parser.parse_args())
    path = options.pop("file")
    with open_trace(path) as trace:
        replay = Replay([Knobs(**options)]).read(trace)
    facts = {"gets": replay.gets, "disagreements": replay.disagreements}
    print(json.dumps(facts | replay.results()[0]))


if __name__ == "__main__":
    main()
