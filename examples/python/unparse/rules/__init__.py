"""The rules of the unparser: generic functions over the classes of `ast`.

    source(tree)          a whole module, statement or expression, as text
    lines(node, margin)   a statement or clause, each line after a line break
    text(node, place)     an expression or part of one, with the brackets that it
                          needs at its place: dispatched on both arguments
    operation(operator, place, node)
                          an operator with its operands: dispatched on the
                          operator and the place
    inner(node, part)     what stands between the quotes of an f-string:
                          dispatched on the node and on whether that is in the
                          body or in a format specification
    literal(value, place) a constant: dispatched on its value

A rule is added by defining the function once more. `dispatch` below is a
`latebind.Dispatcher`, or one of the stand-ins in engines.py when this folder
has been loaded once more for the comparison (see engines.rules).
"""

from ..engines import dispatcher

dispatch = dispatcher(__name__)

from . import expressions, fstrings, operators, patterns, statements  # noqa: E402, F401
from .statements import source  # noqa: E402

unparse = source
