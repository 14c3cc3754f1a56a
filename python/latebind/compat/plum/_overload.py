"""`overload`, whose definitions `dispatch` collects."""

try:  # Python 3.11 remembers them
    from typing import get_overloads, overload
except ImportError:  # pragma: no cover
    from typing_extensions import get_overloads, overload

__all__ = ["get_overloads", "overload"]
