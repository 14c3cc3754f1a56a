"""Where an expression stands, as classes.

A place holds what is written there more or less tightly: `a + b` may stand bare
as an argument, but not as a factor. Each class below is a place that holds
tighter than the one before it and is therefore derived from it, so that a rule
for (Lambda, Ors) is about that place and all the tighter ones, and overrides
the rule for (Lambda, Place). A class is named after the loosest thing that may
stand there bare.

A place also knows its surroundings: between the braces of an f-string, strings
are written differently. From a place one reaches the others in the same
surroundings by attribute: `place.atoms`, `place.tests`.
"""

import sys


class Place:
    """Everything stands here bare, even a tuple."""

    in_field: bool
    tighter: "Place"
    all: "Place"
    targets: "Place"
    yields: "Place"
    tests: "Place"
    ors: "Place"
    ands: "Place"
    nots: "Place"
    comparisons: "Place"
    bit_ors: "Place"
    bit_xors: "Place"
    bit_ands: "Place"
    shifts: "Place"
    sums: "Place"
    products: "Place"
    signs: "Place"
    powers: "Place"
    awaits: "Place"
    atoms: "Place"


class Yields(Place):
    """`yield x`: an expression as a statement."""


class Tests(Yields):
    """`a if b else c`: most places."""


class Ors(Tests):
    """`a or b`"""


class Ands(Ors):
    """`a and b`"""


class Nots(Ands):
    """`not a`"""


class Comparisons(Nots):
    """`a < b`"""


class BitOrs(Comparisons):
    """`a | b`"""


class BitXors(BitOrs):
    """`a ^ b`"""


class BitAnds(BitXors):
    """`a & b`"""


class Shifts(BitAnds):
    """`a << b`"""


class Sums(Shifts):
    """`a + b`"""


class Products(Sums):
    """`a * b`"""


class Signs(Products):
    """`-a`"""


class Powers(Signs):
    """`a ** b`"""


class Awaits(Powers):
    """`await a`"""


class Atoms(Awaits):
    """Only what needs no brackets anywhere."""


LADDER = {
    "all": Place,
    "yields": Yields,
    "tests": Tests,
    "ors": Ors,
    "ands": Ands,
    "nots": Nots,
    "comparisons": Comparisons,
    "bit_ors": BitOrs,
    "bit_xors": BitXors,
    "bit_ands": BitAnds,
    "shifts": Shifts,
    "sums": Sums,
    "products": Products,
    "signs": Signs,
    "powers": Powers,
    "awaits": Awaits,
    "atoms": Atoms,
}


def surroundings(*, in_field: bool) -> Place:
    """One place of each class, all linked; returned is the loosest."""
    places = {name: cls() for name, cls in LADDER.items()}
    ladder = list(places.values())
    # Python 3.10 wrote a tuple as a target with brackets, like any other.
    places["targets"] = places["all" if sys.version_info >= (3, 11) else "tests"]
    for place, tighter in zip(ladder, [*ladder[1:], ladder[-1]], strict=True):
        vars(place).update(places, tighter=tighter, in_field=in_field)
    return ladder[0]


PLAIN = surroundings(in_field=False)

# Since Python 3.12 a field of an f-string is a place like any other.
FIELD = PLAIN if sys.version_info >= (3, 12) else surroundings(in_field=True)


# Within an f-string


class Part:
    """The body of an f-string."""


class Specification(Part):
    """What follows the colon of a field, itself with fields."""


BODY = Part()
SPECIFICATION = Specification()
