"""Which method a call runs, said slowly: a model to compare the engine with.

It is written from the rules alone and shares nothing with the package. Hints are
annotations as a user writes them; a rule is a list of parameters with hints.

1. `bind`: which parameter takes each argument (by `inspect.Signature.bind`).
2. `holds`: does the value fit the hint, by `issubclass` of its type.
3. `compare`: for one argument, which of two hints comes first: by the place in
   the argument's MRO when both are real bases, by subset when one is virtual (an
   abstract class that is not in the MRO, a union); a hint that looks at the value
   is just before its class.
4. `Rules.chain`: repeatedly the one rule that no other precedes.

Cost: quadratic in the applicable rules at each step; nothing is remembered.
"""

import inspect
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Union, get_args, get_origin

# ---------------------------------------------------------------- hints


def members(hint: Any) -> tuple[Any, ...]:
    """The members of a union; of anything else the hint alone."""
    if get_origin(hint) in (Union, types.UnionType):
        return get_args(hint)
    return (hint,)


def is_top(hint: Any) -> bool:
    return hint is Any or hint is inspect.Parameter.empty


def holds(value: Any, hint: Any) -> bool:
    """Is `value` what `hint` says?"""
    if is_top(hint):
        return True
    if hint is None:
        return value is None
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return any(holds(value, member) for member in get_args(hint))
    if origin is Literal:
        return any(type(value) is type(one) and value == one for one in get_args(hint))
    if origin is Annotated:
        base, *predicates = get_args(hint)
        return holds(value, base) and all(test(value) for test in predicates)
    if origin is list:
        (element,) = get_args(hint)
        return isinstance(value, list) and all(holds(one, element) for one in value)
    return issubclass(type(value), hint)


def looks_at_value(hint: Any) -> bool:
    """Is the argument's type not enough to decide?"""
    if get_origin(hint) in (Union, types.UnionType):
        return any(looks_at_value(member) for member in get_args(hint))
    return get_origin(hint) in (Literal, Annotated, list)


def class_part(hint: Any) -> Any:
    """What the argument's class must be for `hint` (no union of such)."""
    origin = get_origin(hint)
    if origin is Literal:
        (cls,) = {type(one) for one in get_args(hint)}
        return cls
    if origin is Annotated:
        return class_part(get_args(hint)[0])
    return list if origin is list else hint


def part_for(value: Any, hint: Any) -> Any:
    """The part of a union that applies: its plain classes together, or one of
    the members that look at the value."""
    if not looks_at_value(hint):
        return hint
    plain = [one for one in members(hint) if not looks_at_value(one)]
    if any(holds(value, one) for one in plain):
        return Union[tuple(plain)]  # noqa: UP007
    (part,) = (one for one in members(hint) if holds(value, one))
    return part


def subset(a: Any, b: Any) -> bool:
    """Is everything that `a` allows allowed by `b`, as far as one can know?"""
    if a == b or is_top(b) or b is object:
        return True
    if get_origin(a) in (Union, types.UnionType):
        return all(subset(one, b) for one in get_args(a))
    if get_origin(a) is Literal:
        return all(holds(one, b) for one in get_args(a))
    if get_origin(b) in (Union, types.UnionType):
        return any(subset(a, one) for one in get_args(b))
    if get_origin(b) in (Literal, Annotated) or is_top(a):
        return False
    if get_origin(a) is Annotated:
        return subset(get_args(a)[0], b)
    if get_origin(a) is list:
        if get_origin(b) is list:
            return subset(get_args(a)[0], get_args(b)[0])
        return not looks_at_value(b) and issubclass(list, as_class(b))
    return not looks_at_value(b) and issubclass(as_class(a), as_class(b))


def as_class(hint: Any) -> type:
    return type(None) if hint is None else hint


FIRST, EQUAL, LAST, UNORDERED = "first", "equal", "last", "unordered"
OPPOSITE = {FIRST: LAST, LAST: FIRST, EQUAL: EQUAL, UNORDERED: UNORDERED}


def by_subset(a: Any, b: Any) -> str:
    below, above = subset(a, b), subset(b, a)
    if below and above:
        return EQUAL
    return FIRST if below else LAST if above else UNORDERED


def place(value: Any, base: Any) -> int | None:
    """Where `base` stands in the value's MRO; None: it is virtual."""
    order = type(value).__mro__
    if is_top(base):
        return len(order)
    base = as_class(base)
    if get_origin(base) is not None or base not in order:
        return None
    return order.index(base)


def compare(value: Any, a: Any, b: Any) -> str:
    """Which of two hints that both hold comes first for this argument."""
    a, b = part_for(value, a), part_for(value, b)
    if a == b:
        return EQUAL
    base_a, base_b = class_part(a), class_part(b)
    place_a, place_b = place(value, base_a), place(value, base_b)
    if place_a is not None and place_b is not None:
        if place_a != place_b:
            return FIRST if place_a < place_b else LAST
    else:
        result = by_subset(base_a, base_b)
        if result != EQUAL:
            return result
    if looks_at_value(a) != looks_at_value(b):
        return FIRST if looks_at_value(a) else LAST
    return by_subset(a, b)


def rank(value: Any, hint: Any) -> int:
    """For the weighted order: real bases only."""
    number = place(value, class_part(hint))
    assert number is not None, "a virtual class has no rank"
    return 2 * number


# ---------------------------------------------------------------- rules


@dataclass(frozen=True)
class Rule:
    """One method: what a user would write in its signature, and a label."""

    label: str
    signature: inspect.Signature
    wants_next: bool = True
    commutative: bool = False

    @property
    def kind(self) -> int:
        """Fixed 0, optional 1, variadic 2: the last tie-break."""
        parameters = self.signature.parameters.values()
        if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
            return 2
        return int(any(p.default is not p.empty for p in parameters))


@dataclass(frozen=True)
class Form:
    """A rule as it fits one call: argument -> hint, perhaps flipped."""

    rule: Rule
    hints: Mapping[int | str, Any]
    number: int
    flipped: bool = False


class _Argument:
    def __init__(self, key: int | str) -> None:
        self.key = key


def without_positional_names(signature: inspect.Signature) -> inspect.Signature:
    """`bind` of older Pythons takes a keyword for a positional-only parameter of
    that name, which is free for **others."""
    return signature.replace(
        parameters=[
            one.replace(name=f"positional_{one.name}")
            if one.kind == one.POSITIONAL_ONLY
            else one
            for one in signature.parameters.values()
        ]
    )


def bind(
    signature: inspect.Signature, count: int, names: Iterable[str]
) -> dict[int | str, Any] | None:
    """The hint of each argument, or None when the signature does not fit."""
    signature = without_positional_names(signature)
    try:
        bound = signature.bind(
            *(_Argument(number) for number in range(count)),
            **{name: _Argument(name) for name in names},
        )
    except TypeError:
        return None
    result: dict[int | str, Any] = {}
    for name, taken in bound.arguments.items():
        parameter = signature.parameters[name]
        if parameter.kind == parameter.VAR_POSITIONAL:
            arguments = taken
        elif parameter.kind == parameter.VAR_KEYWORD:
            arguments = taken.values()
        else:
            arguments = (taken,)
        for argument in arguments:
            result[argument.key] = parameter.annotation
    return result


@dataclass
class Chain:
    """The methods in the order in which they run, and what ends the chain:
    "none" (no further method) or "ambiguous" (between `candidates`)."""

    labels: list[str] = field(default_factory=list)
    flips: list[bool] = field(default_factory=list)
    end: str = "none"
    candidates: frozenset[str] = frozenset()


class Rules:
    """The methods of one generic function, in the order of their definition."""

    def __init__(
        self, order: str = "symmetric", precedence: Sequence[int] | None = None
    ) -> None:
        self.order = order
        self.precedence = precedence
        self.rules: list[Rule] = []

    def add(self, rule: Rule) -> None:
        """A rule with the same signature is replaced in its place."""
        for number, other in enumerate(self.rules):
            if same_signature(other.signature, rule.signature):
                self.rules[number] = rule
                return
        self.rules.append(rule)

    def remove(self, rule: Rule) -> None:
        self.rules.remove(rule)

    def applicable(
        self, args: Sequence[Any], named: Mapping[str, Any] | None = None
    ) -> list[Form]:
        named = named or {}
        forms = []
        for number, rule in enumerate(self.rules):
            hints = bind(rule.signature, len(args), named)
            if hints is None:
                continue
            values: dict[int | str, Any] = {**dict(enumerate(args)), **named}
            if all(holds(values[key], hint) for key, hint in hints.items()):
                forms.append(Form(rule, hints, number))
            elif rule.commutative and len(args) >= 2:
                flipped = {**hints, 0: hints[1], 1: hints[0]}
                if all(holds(values[key], hint) for key, hint in flipped.items()):
                    forms.append(Form(rule, flipped, number, True))
        return forms

    def precedes(self, values: Mapping[int | str, Any], a: Form, b: Form) -> bool:
        if self.order == "definition":
            return a.number < b.number
        if self.order == "reverse_definition":
            return a.number > b.number
        if self.order == "weighted":
            sum_a = sum(rank(values[key], hint) for key, hint in a.hints.items())
            sum_b = sum(rank(values[key], hint) for key, hint in b.hints.items())
            if sum_a != sum_b:
                return sum_a < sum_b
            return precedes_by_form(values, a, b)
        keys: Sequence[int | str] = sorted(a.hints, key=str)
        if self.precedence is not None:
            first = [key for key in self.precedence if key in a.hints]
            keys = first + [key for key in keys if key not in first]
        results = [compare(values[key], a.hints[key], b.hints[key]) for key in keys]
        if all(result == EQUAL for result in results):
            return precedes_by_form(values, a, b)
        if self.order == "lexicographic":
            return next(one for one in results if one != EQUAL) == FIRST
        return FIRST in results and LAST not in results and UNORDERED not in results

    def chain(
        self, args: Sequence[Any], named: Mapping[str, Any] | None = None
    ) -> Chain:
        values: dict[int | str, Any] = {**dict(enumerate(args)), **(named or {})}
        rest = self.applicable(args, named)
        result = Chain()
        while rest:
            minimal = [
                one
                for one in rest
                if not any(self.precedes(values, other, one) for other in rest)
            ]
            if len(minimal) != 1:
                result.end = "ambiguous"
                result.candidates = frozenset(one.rule.label for one in minimal)
                return result
            result.labels.append(minimal[0].rule.label)
            result.flips.append(minimal[0].flipped)
            rest.remove(minimal[0])
        return result

    def trail(
        self, args: Sequence[Any], named: Mapping[str, Any] | None = None
    ) -> tuple[str, ...]:
        """What a call returns when each method gives its label and then what
        the next one gives (see `method_of`)."""
        chain = self.chain(args, named)
        wants = {rule.label: rule.wants_next for rule in self.rules}
        seen: list[str] = []
        for label in chain.labels:
            seen.append(label)
            if not wants[label]:
                return (*seen, "stop")
        return (*seen, chain.end)


def looseness(form: Form) -> int:
    """Variadic 2; something left out 1; neither 0."""
    if form.rule.kind == 2:
        return 2
    return int(len(form.hints) < len(form.rule.signature.parameters))


def is_split(values: Mapping[int | str, Any], form: Form) -> bool:
    """Is one of the hints a union of which only a part counts here?"""
    return any(part_for(values[key], hint) != hint for key, hint in form.hints.items())


def precedes_by_form(values: Mapping[int | str, Any], a: Form, b: Form) -> bool:
    """The tie-breaks when no argument tells two rules apart: a written rule before
    a flipped one; what takes the call more exactly; a whole hint before a part
    of a union; what would take less in the arguments that are left out."""
    one = (looseness(a), is_split(values, a), a.flipped)
    other = (looseness(b), is_split(values, b), b.flipped)
    if one != other:
        return one < other
    return narrower(a.rule, b.rule) and not narrower(b.rule, a.rule)


def narrower(a: Rule, b: Rule) -> bool:
    """Does `b`, of the same shape, take everything that `a` takes?"""
    left, right = a.signature.parameters, b.signature.parameters
    if [(p.name, p.default is p.empty) for p in left.values()] != [
        (p.name, p.default is p.empty) for p in right.values()
    ]:
        return False
    return all(
        subset(one.annotation, right[name].annotation) for name, one in left.items()
    )


POSITIONAL = {
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
}


def same_signature(a: inspect.Signature, b: inspect.Signature) -> bool:
    """Would the second definition replace the first?"""
    left, right = list(a.parameters.values()), list(b.parameters.values())
    return len(left) == len(right) and all(
        (x.kind == y.kind or {x.kind, y.kind} <= POSITIONAL)
        and (x.name == y.name or x.kind != x.KEYWORD_ONLY)
        and x.annotation == y.annotation
        and (x.default is x.empty) == (y.default is y.empty)
        for x, y in zip(left, right, strict=True)
    )


# ------------------------------------------------- methods with such a trail


class _Name:
    """Stands for a value in the text of a signature."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


def method_of(
    rule: Rule,
    no_method: type[Exception],
    ambiguous: type[Exception],
    observe: Callable[[str], None] = lambda label: None,
) -> Callable[..., Any]:
    """A function with the rule's signature that returns its trail."""
    space: dict[str, Any] = {
        "NoMethod": no_method,
        "Ambiguous": ambiguous,
        "observe": observe,
    }
    parameters: list[inspect.Parameter] = []
    for one in rule.signature.parameters.values():
        for what, value in (("hint", one.annotation), ("default", one.default)):
            if value is not one.empty:
                name = _Name(f"{what}_{one.name}")
                space[name.name] = value
                key = "annotation" if what == "hint" else "default"
                one = one.replace(**{key: name})
        parameters.append(one)
    if rule.wants_next:
        wanted = inspect.Parameter("next_method", inspect.Parameter.KEYWORD_ONLY)
        named_rest = parameters and parameters[-1].kind == wanted.VAR_KEYWORD
        parameters.insert(len(parameters) - bool(named_rest), wanted)
    name = f"method_{rule.label}"
    lines = [
        f"def {name}{inspect.Signature(parameters)}:",
        f"    observe({rule.label!r})",
    ]
    if rule.wants_next:
        lines += [
            "    try:",
            f"        return ({rule.label!r}, *next_method())",
            "    except Ambiguous:",
            f"        return ({rule.label!r}, 'ambiguous')",
            "    except NoMethod:",
            f"        return ({rule.label!r}, 'none')",
        ]
    else:
        lines.append(f"    return ({rule.label!r}, 'stop')")
    exec("\n".join(lines), space)
    return space[name]


def signature_of(
    hints: Sequence[Any],
    *,
    optional: int = 0,
    rest: Any = None,
    named: Mapping[str, Any] | None = None,
    named_optional: Iterable[str] = (),
    named_rest: Any = None,
    posonly: int = 0,
) -> inspect.Signature:
    """A signature with parameters p0, p1, ...; the last `optional` of them have
    a default; `rest` is the hint of *args, `named` of keyword-only parameters."""
    kinds = inspect._ParameterKind
    empty = inspect.Parameter.empty
    parameters = []
    for number, hint in enumerate(hints):
        kind = kinds.POSITIONAL_OR_KEYWORD
        if number < posonly:
            kind = kinds.POSITIONAL_ONLY
        default = None if number >= len(hints) - optional else empty
        parameters.append(
            inspect.Parameter(f"p{number}", kind, default=default, annotation=hint)
        )
    if rest is not None:
        parameters.append(
            inspect.Parameter("rest", kinds.VAR_POSITIONAL, annotation=rest)
        )
    for name, hint in (named or {}).items():
        default = None if name in set(named_optional) else empty
        parameters.append(
            inspect.Parameter(
                name, kinds.KEYWORD_ONLY, default=default, annotation=hint
            )
        )
    if named_rest is not None:
        parameters.append(
            inspect.Parameter("others", kinds.VAR_KEYWORD, annotation=named_rest)
        )
    return inspect.Signature(parameters)
