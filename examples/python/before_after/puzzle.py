"""Who plays the cello? A puzzle, solved by miniKanren.

The program knows nothing of Latebind. The solver (PyPI: miniKanren, with
logical-unification below it) unifies terms by functions of multipledispatch:
one method for two tuples, one for two dictionaries, and so on.

Four musicians live side by side. Each has a nationality, an instrument, a
drink and a colour of the door.
"""

from kanren import conde, eq, lall, membero, run, var

HOUSES = 4


def house(**known):
    """A house of which something is known, and the rest is not."""
    return tuple(known.get(part, var()) for part in PARTS)


PARTS = ("nationality", "instrument", "drink", "door")


def first(houses, one):
    return eq(one, houses[0])


def last(houses, one):
    return eq(one, houses[-1])


def left_of(houses, one, other):
    """One house stands directly left of the other."""
    return conde(
        *[(eq(one, a), eq(other, b)) for a, b in zip(houses, houses[1:], strict=False)]
    )


def beside(houses, one, other):
    return conde((left_of(houses, one, other),), (left_of(houses, other, one),))


def clues(houses):
    """What is known of the four."""
    return lall(
        first(houses, house(nationality="Dane")),
        left_of(houses, house(door="green"), house(door="white")),
        membero(house(nationality="Pole", instrument="oboe"), houses),
        membero(house(door="white", drink="tea"), houses),
        beside(houses, house(instrument="oboe"), house(drink="milk")),
        membero(house(nationality="Greek", door="red"), houses),
        left_of(houses, house(drink="coffee"), house(drink="milk")),
        beside(houses, house(nationality="Dane"), house(door="red")),
        last(houses, house(instrument="harp")),
        membero(house(nationality="Scot", drink="tea"), houses),
        beside(houses, house(instrument="flute"), house(nationality="Greek")),
        membero(house(instrument="cello"), houses),
        membero(house(drink="water"), houses),
        membero(house(door="blue"), houses),
    )


def solutions():
    """All ways in which the four can live, each a tuple of houses."""
    houses = tuple(house() for _ in range(HOUSES))
    return run(0, houses, clues(houses))


def main():
    for houses in solutions():
        for each in houses:
            print("  ".join(f"{str(part):8}" for part in each))
        print()


if __name__ == "__main__":
    main()
