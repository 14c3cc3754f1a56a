"""Methods: a function, the signature that it was registered for, its result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._signature import Signature, annotations_of, inspect_signature
from ._type import resolve_type_hint
from ._util import Missing
from .repr import as_rich, repr_short, repr_source

__all__ = ["Method", "MethodList", "extract_return_type"]


def extract_return_type(f: Callable[..., Any]) -> Any:
    """The return annotation of `f`; `Any` if there is none."""
    hints = annotations_of(f)
    if "return" not in hints:
        return Any
    return type(None) if hints["return"] is None else hints["return"]


class Method:
    """One implementation of a function.

    Args:
        implementation: What is called.
        signature: What its positional arguments must be.
        function_name: Name of the function that it belongs to.
        return_type: What its result is converted to.
    """

    __slots__ = ("implementation", "signature", "function_name", "return_type")

    def __init__(
        self,
        implementation: Callable[..., Any],
        signature: Signature,
        *,
        function_name: str | None = None,
        return_type: Any = Missing,
    ) -> None:
        if return_type is Missing:
            return_type = extract_return_type(implementation)
        if function_name is None:
            function_name = implementation.__name__
        self.implementation = implementation
        self.signature = signature
        self.function_name = function_name
        self.return_type = resolve_type_hint(return_type)

    def _key(self) -> tuple[Any, ...]:
        return (
            self.function_name,
            self.signature,
            self.return_type,
            self.implementation,
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Method):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __copy__(self) -> Method:
        return Method(
            self.implementation,
            self.signature,
            function_name=self.function_name,
            return_type=self.return_type,
        )

    def __str__(self) -> str:
        return (
            f"Method(function_name={self.function_name!r}, "
            f"signature={self.signature}, "
            f"return_type={self.return_type!r}, "
            f"implementation={self.implementation!r})"
        )

    def __repr__(self) -> str:
        return self._text()

    def repr_mismatch(
        self, mismatches: set[int] | frozenset[int] = frozenset(), rest: bool = True
    ) -> Any:
        """For a terminal, with marks at what did not fit: rich's Text if it is
        installed."""
        text = as_rich(self._text())
        if hasattr(text, "stylize"):
            for start, end in self._places(mismatches, rest):
                text.stylize("bold red", start, end)
        return text

    def _places(self, mismatches: Any, rest: bool) -> list[tuple[int, int]]:
        places, at = [], len(self.function_name) + 1
        for index, part in enumerate(self._params()):
            wrong = index in mismatches if not part.startswith("*") else not rest
            if wrong and index <= len(self.signature.types):
                places.append((at, at + len(part)))
            at += len(part) + 2
        return places

    def _params(self) -> list[str]:
        """The parameters with the types of the signature, as written."""
        params = list(inspect_signature(self.implementation).parameters.values())
        plain = [
            param.name
            for param in params
            if param.kind in (param.POSITIONAL_ONLY, param.POSITIONAL_OR_KEYWORD)
        ]
        parts = []
        for i, tp in enumerate(self.signature.types):
            name = f"{plain[i]}: " if i < len(plain) else ""
            parts.append(name + _repr_type(tp))
        rest = [param.name for param in params if param.kind is param.VAR_POSITIONAL]
        if self.signature.has_varargs:
            name = rest[0] if rest else "args"
            parts.append(f"*{name}: {_repr_type(self.signature.varargs)}")
        named = [param.name for param in params if param.kind is param.KEYWORD_ONLY]
        if named:
            parts += [*([] if self.signature.has_varargs else ["*"]), *named]
        parts += [f"**{p.name}" for p in params if p.kind is p.VAR_KEYWORD]
        return parts

    def _text(self, indent: str = "") -> str:
        head = f"{indent}{self.function_name}({', '.join(self._params())})"
        if self.return_type is not Any:
            head += f" -> {repr_short(self.return_type)}"
        lines = [head]
        if self.signature.precedence:
            lines.append(f"{indent}    precedence={self.signature.precedence}")
        lines.append(repr_source(self.implementation, f"{indent}    "))
        return "\n".join(lines)


def _repr_type(tp: Any) -> str:
    return "Any" if tp is Any else repr_short(tp)


class MethodList(list):  # of Method
    """A list that shows its methods one below the other."""

    def __repr__(self) -> str:
        lines = [f"List of {len(self)} method(s):"]
        for i, method in enumerate(self):
            text = method._text(indent=" " * 4)
            lines.append(f"    [{i}] {text.lstrip()}")
        return "\n".join(lines) + "\n"
