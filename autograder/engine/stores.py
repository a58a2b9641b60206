"""Which functions of a learner set attributes of what they are passed, for the reader of learner code (reader.py)."""

import ast
import builtins
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from autograder.engine.cells import Unreadable
from autograder.engine.expressions import last_name, root_name, sources
from autograder.engine.suspicious import LOOKS

# Calls are looked at with each function of that name.
_MOST_WORK = 50_000
# What is made by these is called like a function.
_MAKERS = frozenset(("partial", "partialmethod", "wraps", "cache", "lru_cache", "MethodType"))
_BUILT_IN = frozenset(name for name in dir(builtins) if not name.startswith("_"))
_LEAVES = frozenset((ast.Load, ast.Store, ast.Del, ast.Name, ast.Constant))
_FUNCTIONS = frozenset((ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))


@dataclass
class Storing:
    """A function by what it does with its parameters.

    Attributes:
        places: the parameters that an argument's place tells, in order.
        names: all parameters; what else is the same thing in the function, by the parameter that it is.
        stored: parameters of which an attribute is set.
        also: parameters by the name of another one that they may go by.
        handed_on: calls with a parameter among their arguments.
    """

    places: list[str]
    names: dict[str, str]
    stored: set[str] = field(default_factory=set)
    also: dict[str, set[str]] = field(default_factory=dict)
    handed_on: list[ast.Call] = field(default_factory=list)


def storing(trees: list[ast.Module]) -> dict[str, list[Storing]]:
    """Return the functions of some cells, by their names, that set attributes of a parameter."""
    functions: dict[str, list[Storing]] = {}
    calls: Counter[str] = Counter()
    left: list[tuple[ast.AST, tuple[Storing, ...]]] = [(tree, ()) for tree in reversed(trees)]
    while left:
        node, around = left.pop()
        kind = type(node)
        if kind in _FUNCTIONS:
            function = _function(node)
            around = (*around, function)
            if not isinstance(node, ast.Lambda):
                functions.setdefault(node.name, []).append(function)
        elif kind is ast.Assign and type(node.value) is ast.Lambda:
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            for name in names:
                functions.setdefault(name, []).append(_function(node.value, [node.value.body]))
        elif kind is ast.Call:
            calls[last_name(node.func) or ""] += 1
        if around:
            _note(node, around)
        left += [(child, around) for child in reversed([*ast.iter_child_nodes(node)]) if type(child) not in _LEAVES]
    if sum(calls[name] * len(same) for name, same in functions.items()) > _MOST_WORK:
        raise Unreadable("has too many functions of one name to read")
    _hand_on(functions)
    return {name: kept for name, all_ in functions.items() if (kept := [f for f in all_ if f.stored])}


def arguments(call: ast.Call, function: Storing) -> Iterator[tuple[ast.expr, str | None]]:
    """Yield the arguments of a call with the parameters that they become; None if that cannot be told."""
    on_object = isinstance(call.func, ast.Attribute) and function.places[:1] in (["self"], ["cls"])
    told = True
    for place, argument in enumerate(call.args):
        told = told and not isinstance(argument, ast.Starred)
        wanted = function.places[place + on_object : place + on_object + 1]
        if not told:
            yield argument, None
        elif wanted:
            yield argument, wanted[0]
    value = call.func.value if on_object else None
    of_super = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "super"
    if on_object and not of_super and len(call.args) == len(function.places):
        # `Net.forward(net)`
        yield call.args[0], function.places[0]
    for keyword in call.keywords:
        yield keyword.value, keyword.arg if keyword.arg in function.names else None


def method_set(target: ast.expr, value: ast.expr | None, functions: Collection[str] = ()) -> Iterator[ast.Attribute]:
    """Yield where an assignment may set a method with which tests look at a value.

    Args:
        target: what is assigned to.
        value: what is assigned, if the text tells.
        functions: names of functions of the same text.
    """
    if isinstance(target, ast.Tuple | ast.List):
        of_each = isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts)
        for place, inner in enumerate(target.elts):
            yield from method_set(inner, value.elts[place] if of_each else value, functions)
    elif isinstance(target, ast.Starred):
        yield from method_set(target.value, value, functions)
    elif isinstance(target, ast.Attribute) and target.attr in LOOKS and _may_be_called(value, functions):
        yield target


def _may_be_called(value: ast.expr | None, functions: Collection[str]) -> bool:
    """Whether a value may be a function; the result of most calls and of arithmetic is taken for data."""
    left = [value]
    for part in left:
        name = None if part is None else last_name(part.func if isinstance(part, ast.Call) else part)
        if part is None or isinstance(part, ast.Lambda):
            return True
        if isinstance(part, ast.Call) and name in _MAKERS:
            return True
        if isinstance(part, ast.Name | ast.Attribute) and name in {*functions, *_BUILT_IN, *LOOKS}:
            return True
        if isinstance(part, ast.IfExp | ast.BoolOp | ast.NamedExpr | ast.Tuple | ast.List):
            left += [inner for inner in ast.iter_child_nodes(part) if isinstance(inner, ast.expr)]
    return False


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, body: list | None = None) -> Storing:
    given = node.args
    places = [argument.arg for argument in [*given.posonlyargs, *given.args]]
    rest = [argument.arg for argument in [*given.kwonlyargs, given.vararg, given.kwarg] if argument is not None]
    function = Storing(places, {name: name for name in [*places, *rest]})
    for inner in body or ():
        function.handed_on += [call for call in ast.walk(inner) if isinstance(call, ast.Call)]
    return function


def _note(node: ast.AST, around: tuple[Storing, ...]) -> None:
    """Note what a statement or expression within functions does with their parameters."""
    by_name = isinstance(node, ast.Call) and last_name(node.func) == "setattr" and bool(node.args)
    if by_name or (isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load)):
        root = root_name(node.args[0] if by_name else node)
        for function in reversed(around):
            if root in function.names:
                function.stored |= {function.names[root], *function.also.get(root, ())}
                return
    elif isinstance(node, ast.Call) and (node.args or node.keywords):
        around[-1].handed_on.append(node)
    elif isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr | ast.For) and (
        value := node.iter if isinstance(node, ast.For) else node.value
    ):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        roots = {root_name(source) for source in sources(value)}
        for function in reversed(around):
            known = [function.names[root] for root in roots if root in function.names]
            for name in known[:1]:
                for target in (target.id for target in targets if isinstance(target, ast.Name)):
                    if function.names.setdefault(target, name) != name:
                        function.also.setdefault(target, set()).add(name)


def _hand_on(functions: dict[str, list[Storing]]) -> None:
    """Note parameters that are handed on to a function that sets attributes of them."""
    calls = [(function, call) for same in functions.values() for function in same for call in function.handed_on]
    # Each function hands on to the next: more than a few are written by nobody.
    for _ in range(20):
        before = sum(len(function.stored) for same in functions.values() for function in same)
        for function, call in calls:
            for called in functions.get((last_name(call.func) or ""), ()):
                for argument, parameter in arguments(call, called) if called.stored else ():
                    if parameter is None or parameter in called.stored:
                        roots = {root_name(source) for source in sources(argument)}
                        function.stored |= {function.names[root] for root in roots if root in function.names}
        if before == sum(len(function.stored) for same in functions.values() for function in same):
            return
