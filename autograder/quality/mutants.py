"""Make mistakes out of a reference answer, one at a time: what a test must notice.

The operators are the classic ones of mutation testing (DeMillo, Lipton and Sayward, "Hints on Test Data
Selection", 1978) and the mistakes of this field: the wrong axis, mean for sum, a forgotten `keepdim`, a
transpose too few, an input changed in place, a gradient cut off, training mode in place of evaluation.
Tools that mutate whole packages (mutmut, cosmic-ray) run a test suite again for each mutant and know no
operators of that second kind, so only the syntax trees of LibCST, on which mutmut is built too, are used.
"""

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

_REGION = re.compile(r"### (BEGIN|END) SOLUTION")
# Larger numbers are sizes and settings, of which a neighbour is as good.
_LARGEST_INTEGER = 10

_BINARY = {
    cst.Add: [cst.Subtract],
    cst.Subtract: [cst.Add],
    cst.Multiply: [cst.Divide],
    cst.Divide: [cst.Multiply],
    cst.FloorDivide: [cst.Divide],
    cst.Modulo: [cst.FloorDivide],
    cst.Power: [cst.Multiply],
    cst.MatrixMultiply: [cst.Multiply],
    cst.BitAnd: [cst.BitOr],
    cst.BitOr: [cst.BitAnd],
}
_AUGMENTED = {
    cst.AddAssign: cst.SubtractAssign,
    cst.SubtractAssign: cst.AddAssign,
    cst.MultiplyAssign: cst.DivideAssign,
    cst.DivideAssign: cst.MultiplyAssign,
}
_COMPARISON = {
    cst.LessThan: [cst.LessThanEqual, cst.GreaterThan],
    cst.LessThanEqual: [cst.LessThan, cst.GreaterThanEqual],
    cst.GreaterThan: [cst.GreaterThanEqual, cst.LessThan],
    cst.GreaterThanEqual: [cst.GreaterThan, cst.LessThanEqual],
    cst.Equal: [cst.NotEqual],
    cst.NotEqual: [cst.Equal],
    cst.Is: [cst.IsNot],
    cst.IsNot: [cst.Is],
    cst.In: [cst.NotIn],
    cst.NotIn: [cst.In],
}
# One for the other, in both directions.
_SWAPPED_NAMES = """
    mean/sum max/min argmax/argmin amax/amin maximum/minimum std/var zeros/ones zeros_like/ones_like rand/randn
    train/eval floor/ceil any/all cumsum/cumprod vstack/hstack log/log1p exp/expm1 softmax/log_softmax sigmoid/tanh
    head/tail ffill/bfill lower/upper first/last lstrip/rstrip mse_loss/l1_loss True/False
"""
_NAMES = {a: b for pair in _SWAPPED_NAMES.split() for a, b in (pair.split("/"), pair.split("/")[::-1])}
# A statistic of the test rows gets into the training.
_NAMES |= {"transform": "fit_transform", "median": "mean", "relu": "sigmoid", "softmax2d": "softmax"}
_TEXTS = {"mean": "sum", "sum": "mean", "train": "test", "test": "train", "left": "right", "right": "left"}
# Calls that stand for "the same, but ...": what if they are forgotten?
_DROPPED_METHODS = """
    detach clone copy float double long int abs sqrt square exp log sigmoid tanh relu softmax item contiguous t
    transpose permute swapaxes squeeze unsqueeze flatten view reshape expand strip lower upper dropna fillna
    drop_duplicates reset_index sort_values clamp clip nan_to_num cumsum flip numpy tolist to astype eval train
    zero_grad any all mean sum
"""
_DROPPED_FUNCTIONS = "abs sorted reversed float int round set list tuple"
_LIBRARY_FUNCTIONS = "abs sqrt square exp log relu sigmoid tanh sign log1p expm1 round floor ceil"
# Methods with a twin that changes the tensor itself.
_IN_PLACE = """
    add sub mul div pow exp log sqrt abs neg clamp clip relu sigmoid tanh masked_fill scatter scatter_add
    index_add index_fill zero fill sub floor ceil round
"""
_DROPPED_METHODS, _DROPPED_FUNCTIONS, _LIBRARY_FUNCTIONS, _IN_PLACE = (
    frozenset(words.split()) for words in (_DROPPED_METHODS, _DROPPED_FUNCTIONS, _LIBRARY_FUNCTIONS, _IN_PLACE)
)


@dataclass(frozen=True)
class Mutant:
    """A reference answer with one mistake.

    Attributes:
        operator: which kind of mistake, in a few words.
        line: where in the answer, counted from 1.
        source: the whole answer.
        diff: the changed lines, "- before" and "+ after", without their indentation.
    """

    operator: str
    line: int
    source: str
    diff: tuple[str, ...]


def mutants(answer: str) -> list[Mutant]:
    """Return every mutant of an answer cell, each once, in the order of its lines.

    Args:
        answer: the source of an answer cell of source/. Only what stands between its
            `### BEGIN SOLUTION` and `### END SOLUTION` is changed: the rest is given to the learner.
    """
    source, inside = _solution(answer)
    wrapper = MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
    collector = _Collector(inside, torch="np." not in source)
    wrapper.visit(collector)
    found: dict[str, Mutant] = {}
    for line, operator, node, replacement in collector.found:
        changed = wrapper.module.deep_replace(node, replacement).code
        if changed != source and changed not in found and _compiles(changed):
            found[changed] = Mutant(operator, line, changed, diff(source, changed))
    return sorted(found.values(), key=lambda mutant: mutant.line)


def diff(before: str, after: str) -> tuple[str, ...]:
    """Return the lines that differ, as "- before" and "+ after", without their indentation."""
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return tuple(f"{line[0]} {line[2:].strip()}" for line in lines if line[0] in "-+")


def _solution(answer: str) -> tuple[str, set[int]]:
    """Return the answer without the region's marks, and the numbers of the lines that stood between them."""
    kept: list[str] = []
    inside: set[int] = set()
    within = False
    for line in answer.split("\n"):
        if mark := _REGION.search(line):
            within = mark[1] == "BEGIN"
            continue
        kept.append(line)
        if within:
            inside.add(len(kept))
    return "\n".join(kept), inside


def _compiles(source: str) -> bool:
    try:
        compile(source, "<mutant>", "exec")
    except (SyntaxError, ValueError):
        return False
    return True


class _Collector(cst.CSTVisitor):
    """Collects (line, operator, node, replacement) for all nodes of the solution."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, inside: set[int], *, torch: bool) -> None:
        super().__init__()
        self._inside, self._torch = inside, torch
        self.found: list[tuple[int, str, cst.CSTNode, cst.CSTNode]] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Annotation):
            return False
        position = self.get_metadata(PositionProvider, node, None)
        if position is not None and position.start.line in self._inside:
            for operator, replacement in _changes(node, torch=self._torch):
                self.found.append((position.start.line, operator, node, replacement))
        return super().on_visit(node)


_Change = tuple[str, cst.CSTNode]


def _changes(node: cst.CSTNode, *, torch: bool) -> Iterable[_Change]:
    match node:
        case cst.BinaryOperation():
            return [("operator", node.with_changes(operator=o)) for o in _others(_BINARY, node.operator)]
        case cst.Comparison():
            return _of_comparison(node)
        case cst.BooleanOperation():
            other = cst.Or if isinstance(node.operator, cst.And) else cst.And
            return [("and/or", node.with_changes(operator=_like(node.operator, other)))]
        case cst.UnaryOperation():
            return [("sign or negation dropped", _bracketed(node.expression))]
        case cst.Integer():
            return _of_integer(node)
        case cst.Float():
            return [("constant", cst.Float(repr(2 * float(node.value) or 1.0)))]
        case cst.SimpleString():
            other = _TEXTS.get(node.raw_value)
            return [("text", cst.SimpleString(f'"{other}"'))] if other else []
        case cst.Name():
            other = _NAMES.get(node.value)
            return [("name", node.with_changes(value=other))] if other else []
        case cst.Attribute():
            return [("transpose dropped", node.value)] if node.attr.value in ("T", "mT") else []
        case cst.Call():
            return _of_call(node)
        case cst.Subscript():
            return _of_subscript(node)
        case cst.IfExp():
            return [("branches swapped", node.with_changes(body=node.orelse, orelse=node.body))]
        case cst.If() | cst.With() | cst.SimpleStatementLine():
            return _of_statement(node, torch=torch)
        case cst.CompIf():
            return [("condition dropped", node.with_changes(test=cst.Name("True")))]
    return []


def _of_comparison(node: cst.Comparison) -> Iterator[_Change]:
    for number, target in enumerate(node.comparisons):
        for other in _others(_COMPARISON, target.operator):
            targets = list(node.comparisons)
            targets[number] = target.with_changes(operator=other)
            yield "comparison", node.with_changes(comparisons=targets)


def _of_integer(node: cst.Integer) -> Iterator[_Change]:
    number = int(node.value, 0)
    if number <= _LARGEST_INTEGER:
        yield "constant", cst.Integer(str(number + 1))
        if number:
            yield "constant", cst.Integer(str(number - 1))


def _of_call(node: cst.Call) -> Iterator[_Change]:
    arguments = list(node.args)
    for number, argument in enumerate(arguments):
        if argument.keyword is not None:
            rest = arguments[:number] + arguments[number + 1 :]
            if rest and number == len(arguments) - 1:
                rest[-1] = rest[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
            yield f"{argument.keyword.value} dropped", node.with_changes(args=rest)
    plain = [a for a in arguments if a.keyword is None and not a.star]
    if len(plain) >= 2 and arguments[:2] == plain[:2]:
        first, second = arguments[0], arguments[1]
        swapped = [first.with_changes(value=second.value), second.with_changes(value=first.value), *arguments[2:]]
        yield "arguments swapped", node.with_changes(args=swapped)
    if isinstance(node.func, cst.Attribute):
        name = node.func.attr.value
        library = isinstance(node.func.value, cst.Name) and node.func.value.value in ("torch", "np", "math", "F")
        if name in _DROPPED_METHODS and not library:
            yield f"{name} dropped", node.func.value
        if name in _IN_PLACE and not library:
            yield "in place", node.with_changes(func=node.func.with_changes(attr=cst.Name(f"{name}_")))
        if library and name in _LIBRARY_FUNCTIONS and len(plain) == 1:
            yield f"{name} dropped", _bracketed(plain[0].value)
    elif isinstance(node.func, cst.Name):
        name = node.func.value
        if name in _DROPPED_FUNCTIONS and len(plain) == 1:
            yield f"{name} dropped", _bracketed(plain[0].value)
        if name == "range" and len(plain) == len(arguments):
            yield from _of_range(node)


def _of_range(node: cst.Call) -> Iterator[_Change]:
    """One turn too few, at either end."""
    values = [argument.value for argument in node.args]
    start, stop = (values[0], values[1]) if len(values) > 1 else (cst.Integer("0"), values[0])
    one = cst.Integer("1")
    later = cst.BinaryOperation(_bracketed(start), cst.Add(), one)
    sooner = cst.BinaryOperation(_bracketed(stop), cst.Subtract(), one)
    for operator, first, last in (("first turn dropped", later, stop), ("last turn dropped", start, sooner)):
        yield operator, node.with_changes(args=[cst.Arg(first), cst.Arg(last), *map(cst.Arg, values[2:])])


def _of_subscript(node: cst.Subscript) -> Iterator[_Change]:
    elements = list(node.slice)
    if len(elements) == 2:
        first, second = elements
        swapped = [first.with_changes(slice=second.slice), second.with_changes(slice=first.slice)]
        yield "axes swapped", node.with_changes(slice=swapped)
    for number, element in enumerate(elements):
        part = element.slice
        if not isinstance(part, cst.Slice):
            continue
        for bound in ("lower", "upper", "step"):
            if getattr(part, bound) is not None:
                gaps = {"second_colon": cst.MaybeSentinel.DEFAULT} if bound == "step" else {}
                others = list(elements)
                others[number] = element.with_changes(slice=part.with_changes(**{bound: None}, **gaps))
                yield f"{bound} end of a slice dropped", node.with_changes(slice=others)


def _of_statement(node: cst.If | cst.With | cst.SimpleStatementLine, *, torch: bool) -> Iterator[_Change]:
    if isinstance(node, cst.With):
        yield "with dropped", cst.If(cst.Name("True"), node.body, leading_lines=node.leading_lines)
        return
    if isinstance(node, cst.If):
        if node.orelse is None:
            yield "if dropped", node.with_changes(test=cst.Name("False"))
        yield "condition dropped", node.with_changes(test=cst.Name("True"))
        return
    if len(node.body) != 1:
        return
    (statement,) = node.body
    match statement:
        case cst.Expr(value=cst.SimpleString() | cst.ConcatenatedString()):
            return
        case cst.Return(value=cst.BaseExpression() as value):
            yield "return forgotten", node.with_changes(body=[cst.Expr(value)])
            if torch and not isinstance(value, cst.Tuple):
                cut = cst.Call(cst.Attribute(_bracketed(value), cst.Name("detach")))
                yield "gradient cut off", node.with_changes(body=[cst.Return(cut)])
        case cst.Expr() | cst.Assign() | cst.AnnAssign() | cst.AugAssign() | cst.Raise() | cst.Continue() | cst.Break():
            yield "statement dropped", node.with_changes(body=[cst.Pass()])
    if isinstance(statement, cst.AugAssign):
        if other := _AUGMENTED.get(type(statement.operator)):
            yield "operator", node.with_changes(body=[statement.with_changes(operator=other())])
        target = cst.AssignTarget(statement.target)
        yield "not accumulated", node.with_changes(body=[cst.Assign([target], statement.value)])
    if isinstance(statement, cst.Assign) and (changed := _in_place(statement)) is not None:
        yield "in place", node.with_changes(body=[changed])


def _in_place(statement: cst.Assign) -> cst.AugAssign | None:
    """Return `x += y` for `x = x + y`."""
    augmented = {cst.Add: cst.AddAssign, cst.Subtract: cst.SubtractAssign, cst.Multiply: cst.MultiplyAssign}
    augmented |= {cst.Divide: cst.DivideAssign}
    value = statement.value
    if len(statement.targets) != 1 or not isinstance(value, cst.BinaryOperation):
        return None
    target, kind = statement.targets[0].target, augmented.get(type(value.operator))
    if kind is None or not target.deep_equals(value.left):
        return None
    return cst.AugAssign(target, kind(), value.right)


def _others(table: dict, operator: cst.CSTNode) -> list[cst.CSTNode]:
    return [_like(operator, kind) for kind in table.get(type(operator), ())]


def _like(operator: cst.CSTNode, kind: type[cst.CSTNode]) -> cst.CSTNode:
    """Return another operator with the same spaces around it, so that a difference shows nothing else."""
    spaces = {k: getattr(operator, k) for k in ("whitespace_before", "whitespace_after") if hasattr(operator, k)}
    return kind(**spaces)


def _bracketed(expression: cst.BaseExpression) -> cst.BaseExpression:
    simple = (cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.Integer, cst.Float)
    if isinstance(expression, simple) or expression.lpar:
        return expression
    return expression.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
