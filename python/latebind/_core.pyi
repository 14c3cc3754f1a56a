"""The extension.  What is public is declared in __init__.pyi."""

from typing import Any

from latebind import GenericFunction as GenericFunction
from latebind import Hint as Hint
from latebind import Method as Method

Link = Any
Choice = Any
NextMethod = Any

def set_hooks(**hooks: Any) -> None: ...
def statistics(*arguments: Any) -> Any: ...
