"""`convert` and `promote`: values to types, several values to a common type."""

from typing import Any

import pytest

import latebind
from latebind import (
    add_conversion_method,
    add_promotion_rule,
    conversion_method,
    convert,
    generic,
    promote,
)


class Celsius:
    def __init__(self, degrees: float) -> None:
        self.degrees = degrees


class Kelvin:
    def __init__(self, degrees: float) -> None:
        self.degrees = degrees


class Warm(Celsius): ...


@conversion_method(Celsius, Kelvin)
def to_kelvin(value: Celsius) -> Kelvin:
    return Kelvin(value.degrees + 273.15)


add_conversion_method(Kelvin, Celsius, lambda value: Celsius(value.degrees - 273.15))


def test_a_value_of_the_type_is_itself() -> None:
    value = Celsius(1)
    assert convert(value, Celsius) is value
    assert convert(value, object) is value
    warm = Warm(1)
    assert convert(warm, Celsius) is warm


def test_a_conversion_is_found_by_both_types() -> None:
    assert convert(Celsius(0), Kelvin).degrees == 273.15
    assert convert(Kelvin(0), Celsius).degrees == -273.15


def test_a_conversion_serves_subclasses_of_its_source() -> None:
    assert convert(Warm(0), Kelvin).degrees == 273.15


def test_a_value_that_cannot_be_converted_is_an_error_that_names_both() -> None:
    with pytest.raises(TypeError, match=r"(?s)list.*Kelvin|Kelvin.*list"):
        convert([], Kelvin)


def test_the_decorator_gives_the_function_back() -> None:
    assert to_kelvin(Celsius(0)).degrees == 273.15


def test_conversion_to_a_hint() -> None:
    assert convert(1, int | str) == 1
    assert convert([1], list[int]) == [1]


def test_promotion_brings_values_to_one_type() -> None:
    class Small:
        def __init__(self, value: int) -> None:
            self.value = value

    class Big:
        def __init__(self, value: int) -> None:
            self.value = value

    add_promotion_rule(Small, Big, Big)
    add_conversion_method(Small, Big, lambda small: Big(small.value))
    for values in (
        (Small(1), Big(2)),
        (Big(1), Small(2)),
        (Small(1), Big(2), Small(3)),
    ):
        promoted = promote(*values)
        assert [type(one) for one in promoted] == [Big] * len(values)
        assert [one.value for one in promoted] == [one.value for one in values]


def test_promotion_of_one_type_and_of_nothing() -> None:
    assert promote() == ()
    value = object()
    assert promote(value) == (value,)
    assert promote(1, 2) == (1, 2)


def test_promotion_without_a_rule_is_an_error_that_names_both() -> None:
    with pytest.raises(TypeError, match=r"(?s)Celsius.*list|list.*Celsius"):
        promote(Celsius(1), [])


def test_results_are_converted_to_the_annotated_type() -> None:
    @generic(convert_returns=True)
    def f(x: int) -> Kelvin:
        return Celsius(x)  # type: ignore[return-value]

    assert type(f(1)) is Kelvin

    @f.register
    def _(x: str) -> Any:
        return x

    assert f("a") == "a"


def test_a_conversion_added_later_is_used() -> None:
    class Late: ...

    with pytest.raises(TypeError):
        convert(Celsius(1), Late)
    add_conversion_method(Celsius, Late, lambda value: Late())
    assert type(convert(Celsius(1), Late)) is Late


def test_the_headers_are_where_it_says() -> None:
    from pathlib import Path

    folder = Path(latebind.get_include())
    assert (folder / "latebind" / "latebind.h").is_file()
