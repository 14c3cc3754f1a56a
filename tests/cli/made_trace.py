"""Random traces, recorded from classes that Python itself makes.

The orders of the classes, also after assignments to __bases__, are Python's own; what
a get finds is told by the model.  A seed always gives the same trace.
"""

import contextlib
import random

from replay_model import Replay

NAMES = 14
STEPS = 600


class Odd(type):
    """A metaclass whose classes have an order that C3 does not give."""

    def mro(cls):
        order = super().mro()
        order[1:-1] = reversed(order[1:-1])
        return order


class MadeTrace:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lines = ["# made by a test"]
        self.model = Replay([])
        self.types = {}  # class id -> Python's class
        self.flags = {}
        self.orders = {}  # class id -> its order as last written
        self.objects = {}  # object id -> class id

    def write(self, *fields):
        line = " ".join(str(f) for f in fields)
        self.lines.append(line)
        self.model.read([line])

    def text(self):
        return "\n".join(self.lines) + "\n"

    # What there is

    def symbol(self):
        return self.random.randint(1, NAMES)

    def symbols(self, marks):
        chosen = self.random.sample(range(1, NAMES + 1), self.random.randint(0, 4))
        mark = lambda: "!" if marks and self.random.random() < 0.2 else ""  # noqa: E731
        return ",".join(f"{sym}{mark()}" for sym in chosen) or "-"

    def class_with(self, flag):
        return self.random.choice([c for c, f in self.flags.items() if flag in f])

    def order_of(self, cls):
        number = {python: at for at, python in self.types.items()}
        return [number[base] for base in self.types[cls].__mro__]

    def bases_of(self, cls):
        number = {python: at for at, python in self.types.items()}
        return [number[base] for base in self.types[cls].__bases__]

    # Lines that introduce

    def begin(self):
        for sym in range(1, NAMES + 1):
            self.write("Y", sym, f"name{sym}")
        self.write("Y", NAMES + 1, "__class__")
        for site in range(9):
            self.write("L", site, "maib"[site % 4], f"made.py:{site}:0")
        self.types[1] = object
        self.flags[1] = "b"
        self.write_class(1)
        for _ in range(4):
            self.new_class()
        self.new_object()

    def write_class(self, cls):
        self.orders[cls] = self.order_of(cls)
        mro = ",".join(map(str, self.orders[cls]))
        bases = ",".join(map(str, self.bases_of(cls))) or "-"
        names = self.symbols(True)
        self.write("K", cls, self.flags[cls], f"made.C{cls}", bases, mro, names)

    def new_class(self):
        cls = len(self.types) + 1
        count = self.random.randint(1, 3)
        chosen = self.random.sample(list(self.types), min(count, len(self.types)))
        bases = tuple(self.types[base] for base in chosen)
        meta = Odd if self.random.random() < 0.15 else type
        with contextlib.suppress(TypeError):  # no order, or metaclasses at odds
            self.types[cls] = meta(f"C{cls}", bases, {})
        if cls in self.types:
            self.flags[cls] = self.flags_below(chosen)
            self.write_class(cls)

    def flags_below(self, bases):
        has_dictionary = any("d" in self.flags[base] for base in bases)
        has_dictionary |= self.random.random() < 0.5
        return "h" + "d" * has_dictionary

    def new_object(self):
        obj = len(self.objects) + 1
        cls = self.class_with("h")
        self.objects[obj] = cls
        self.write("O", obj, cls, self.symbols(False) if self.holds(obj) else "-")

    def holds(self, obj):
        return "d" in self.flags[self.objects[obj]]

    # Changes

    def other_class(self):
        obj = self.random.choice(list(self.objects))
        now = self.flags[self.objects[obj]]
        alike = [c for c, f in self.flags.items() if f == now]
        self.objects[obj] = self.random.choice(alike)
        self.write("E", obj, self.objects[obj])

    def other_bases(self):
        cls = self.class_with("h")
        chosen = self.random.sample(list(self.types), self.random.randint(1, 2))
        lacks = "d" not in self.flags[cls]
        if cls == 1 or (lacks and any("d" in self.flags[c] for c in chosen)):
            return
        with contextlib.suppress(TypeError):
            self.types[cls].__bases__ = tuple(self.types[c] for c in chosen)
        self.write_changed_orders()

    def write_changed_orders(self):
        for cls in self.types:
            order = self.order_of(cls)
            if order == self.orders[cls]:
                continue
            self.orders[cls] = order
            mro = ",".join(map(str, order))
            bases = ",".join(map(str, self.bases_of(cls))) or "-"
            self.write("M", cls, self.flags[cls], bases, mro)

    def own_change(self, word):
        obj = self.random.choice(list(self.objects))
        if self.holds(obj):
            self.write(self.random.choice(["", "u"]) + word, obj, self.symbol())

    def class_set(self):
        cls, sym = self.random.choice(list(self.types)), self.symbol()
        mark = ["!"] if self.random.random() < 0.3 else []
        self.write(self.random.choice(["S", "uS"]), cls, sym, *mark)

    def class_delete(self):
        cls = self.random.choice(list(self.types))
        names = list(self.model.world.classes[cls].names)
        if names:
            self.write("R", cls, self.random.choice(names))

    # Gets

    def get(self):
        obj = self.random.choice([0, *self.objects])
        cls = self.objects.get(obj) or self.random.choice(list(self.types))
        implicit = self.random.random() < 0.2
        sym = NAMES + 1 if self.random.random() < 0.02 else self.symbol()
        out = self.model.world.outcome(cls, obj, sym, implicit)
        site = self.random.randint(0, 8)
        self.write("q" if implicit else "g", obj, cls, sym, site, out)

    def step(self):
        rare = [
            self.new_class,
            self.new_object,
            self.other_class,
            self.other_bases,
            self.class_set,
            self.class_delete,
            lambda: self.own_change("s"),
            lambda: self.own_change("s"),
            lambda: self.own_change("r"),
        ]
        if self.random.random() < 0.12:
            self.random.choice(rare)()
        else:
            self.get()


def made_trace(seed):
    made = MadeTrace(seed)
    made.begin()
    for _ in range(STEPS):
        made.step()
    return made.text()
