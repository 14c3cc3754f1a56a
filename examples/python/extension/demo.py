"""What `bodies`, an extension in C, lets Python do. See README.md."""

import bodies
from bodies import Balloon, Body, pull, weight

from latebind import generic

print("a method in C:         ", weight(Body(mass=2), 10))
print("one that asks the next:", weight(Balloon(mass=2), 10))


# A class in Python below one in C: the loop in C reaches what it overrides.
class Stone(Body):
    def weight(self, gravity):
        return super().weight(gravity) + 0.5


stone = Stone(mass=1)
print("an override:           ", stone.weight(10), weight(stone, 10))
print("the loop in C:         ", bodies.total([stone, Balloon(mass=2)]))


# Methods for two classes at once, and around what C has.
@pull.register
def stone_and_balloon(a: Stone, b: Balloon):
    return -1


@pull.register(around=True)
def told(a: Body, b: Body, *, next_method):
    print(f"  {type(a).__name__} pulls {type(b).__name__}")
    return next_method()


print("two classes decide:    ", pull(stone, Balloon(mass=3)))
print("others do as before:   ", pull(Body(mass=2), Body(mass=3)))


# The other way: a generic function of Python with a method in C.
@generic
def add(a, b):
    raise NotImplementedError


@add.register
def add_texts(a: str, b: str):
    return f"{a} and {b}"


bodies.extend(add)
print("Python's, method in C: ", add(20, 22))
print("Python's own:          ", add("C", "Python"))
print(*sorted(repr(one) for one in add.methods), sep="\n")
