"""What the names in learner code stand for, as far as the text tells, for its reader (screen.py)."""

import ast
import builtins
import functools
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.machinery import PathFinder
from pathlib import Path

from autograder.engine import suspicious
from autograder.engine.cells import Unreadable
from autograder.engine.expressions import dotted, last_name, root_name, sources
from autograder.engine.stores import Storing, storing

# Calls that make a class out of nothing but names.
_PLAIN_MAKERS = frozenset(("namedtuple", "NamedTuple", "TypedDict", "NewType"))
_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
_SCOPES = frozenset((ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
_BINDING = _SCOPES | {
    *(ast.Import, ast.ImportFrom, ast.ClassDef, ast.Global, ast.arg, ast.Assign, ast.NamedExpr, ast.AnnAssign),
    *(ast.AugAssign, ast.For, ast.AsyncFor, ast.comprehension, ast.withitem, ast.MatchAs, ast.MatchStar),
    ast.MatchMapping,
}
# What is above each is looked up for all of them.
_MOST_CLASSES = 300
_LEAVES = frozenset((ast.Load, ast.Store, ast.Del, ast.Name, ast.Constant))


@dataclass
class Bindings:
    """Names by what they are bound to, anywhere in the code.

    Attributes:
        imported: names of modules and of things out of them, also by another name (`n = np`).
        texts: names to which nothing but texts written out are assigned.
        mixed: names to which texts are assigned, and that are something else at other times.
        classes: names of class statements.
        functions: names of functions.
        enums: names of class statements of enumerations.
        statements: class statements by their names.
        values: whether there is a class below a number, a text, an array or a table.
        kinds: names that may hold the class of something (`kind = type(x)`).
        computed: names to which something else is assigned outside of functions.
        local: names that functions assign to, or are passed.
        modules: those of the imported names that are modules.
        starred: whether there is a `from x import *`, after which a name may be anything.
        unknown: whether there is one of a module that the kernel has not imported yet, and may find anywhere.
        origin: what an imported or assigned name was called before.
        own: what class statements bind, by their ids.
        entered: names that `with` binds.
        source: what an imported name is, with dots.
        storing: functions that set attributes of what they are passed, by their names.
    """

    imported: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    mixed: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    enums: set[str] = field(default_factory=set)
    statements: dict[str, list[ast.ClassDef]] = field(default_factory=dict)
    values: bool = False
    kinds: set[str] = field(default_factory=set)
    computed: set[str] = field(default_factory=set)
    local: set[str] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)
    starred: bool = False
    unknown: bool = False
    origin: dict[str, str] = field(default_factory=dict)
    own: dict[int, set[str]] = field(default_factory=dict)
    entered: set[str] = field(default_factory=set)
    source: dict[str, str] = field(default_factory=dict)
    storing: dict[str, list[Storing]] = field(default_factory=dict)

    def base(self, node: ast.expr, in_function: bool) -> str | None:
        """Return the first name of the class that a base stands for; None if it is computed at run time."""
        computed = self.computed | self.local if in_function else self.computed
        if isinstance(node, ast.Subscript):
            # Generic[T], Dataset[int]
            return self.base(node.value, in_function)
        if isinstance(node, ast.Call):
            return "tuple" if last_name(node.func) in _PLAIN_MAKERS else None
        if isinstance(node, ast.Attribute):
            root = root_name(node)
            # What is bound nowhere comes from an `import *`.
            inside = root in self.classes and node.attr in self.classes
            known = root in self.imported or inside or root not in self.classes | self.texts | self.functions
            return node.attr if root is not None and known and root not in computed else None
        if not isinstance(node, ast.Name) or node.id in computed:
            return None
        name = node.id
        for _ in range(9):
            name = self.origin.get(name, name)
        return name

    def ancestors(self, node: ast.ClassDef, in_function: bool) -> tuple[set[str], set[str]]:
        """Return the library classes above a class, and the names that it and its own ancestors bind."""
        above: set[str] = set()
        own: set[str] = set()
        followed: set[str] = set()
        left = [node]
        while left:
            statement = left.pop()
            if id(statement) not in self.own:
                self.own[id(statement)] = own_names(statement)
            own |= self.own[id(statement)]
            for base in filter(None, (self.base(base, in_function) for base in statement.bases)):
                above |= set() if base in self.statements else {base}
                if base not in followed:
                    followed.add(base)
                    left += [s for s in self.statements.get(base, ()) if s is not node]
        return above, own

    def is_rebound(self, name: str | None) -> bool:
        """Whether the cells themselves bind a name that they import, or that is Python's own."""
        bound = (self.computed, self.local, self.mixed, self.texts, self.functions, self.classes)
        return any(name in place for place in bound)

    def is_class(self, node: ast.expr) -> bool:
        """Whether an expression is the name of a class."""
        name = node.id if isinstance(node, ast.Name) else None
        return name in self.classes or isinstance(getattr(builtins, name or "", None), type)

    def is_kind(self, node: ast.expr) -> bool:
        """Whether an expression is the class of something."""
        if isinstance(node, ast.Call):
            return isinstance(node.func, ast.Name) and node.func.id == "type"
        if isinstance(node, ast.Attribute):
            return node.attr == "__class__"
        return isinstance(node, ast.Name) and node.id in self.kinds


def bindings(trees: list[ast.Module], shared: Bindings | None = None) -> Bindings:
    """Read what all names of some cells are bound to.

    Args:
        trees: the cells.
        shared: the bindings of the instructor's cells, which learners' cells use as well.
    """
    found = Bindings()
    if shared is not None:
        found.imported |= shared.imported
        found.classes |= shared.classes
        found.modules |= shared.modules
        found.functions |= shared.functions
        found.enums |= shared.enums
        found.origin |= shared.origin
        found.starred, found.unknown = shared.starred, shared.unknown
        found.storing |= shared.storing
        found.source |= shared.source
    found.storing |= storing(trees)
    aliases: list[tuple[str, ast.expr, set[str]]] = []
    nodes = [pair for tree in trees for pair in _walk(tree)]
    for node, in_function in nodes:
        computed = found.local if in_function else found.computed
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                name = (alias.asname or alias.name).partition(".")[0]
                found.imported.add(name)
                if isinstance(node, ast.Import) or is_part(f"{node.module}.{alias.name}"):
                    found.modules.add(name)
                found.starred |= name == "*"
                found.unknown |= name == "*" and _is_unknown(node)
                _import(name, alias, node, found)
                found.origin[name] = alias.name.rpartition(".")[2] if alias.asname else name
        elif isinstance(node, ast.ClassDef):
            found.classes.add(node.name)
            found.statements.setdefault(node.name, []).append(node)
        elif isinstance(node, _FUNCTIONS):
            found.functions.add(node.name)
        elif isinstance(node, ast.Global):
            found.computed |= set(node.names)
        elif isinstance(node, ast.arg):
            found.local.add(node.arg)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                _assign(target, node.value, aliases, computed, found)
        elif isinstance(node, ast.NamedExpr | ast.AnnAssign) and node.value is not None:
            _assign(node.target, node.value, aliases, computed, found)
        elif isinstance(node, ast.AugAssign | ast.For | ast.AsyncFor):
            items = node.iter.elts if not isinstance(node, ast.AugAssign) and _is_display(node.iter) else [None]
            if isinstance(node.target, ast.Name) and all(folded(item) is not None for item in items):
                found.texts.add(node.target.id)
                continue
            computed |= bound_in(node.target)
            if isinstance(node.target, ast.Name) and not isinstance(node, ast.AugAssign):
                aliases += [(node.target.id, source, computed) for source in sources(node.iter)]
        elif isinstance(node, ast.comprehension):
            found.local |= bound_in(node.target)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            computed |= bound_in(node.optional_vars)
            found.entered |= bound_in(node.optional_vars)
        elif isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
            computed.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            computed.add(node.rest)
    _follow(aliases, found)
    found.mixed = found.texts & (found.imported | found.functions | found.classes)
    found.texts -= found.computed | found.local | found.mixed
    if found.unknown:
        # Any of them may have come along.
        found.texts.clear()
    statements = [(node, in_function) for node, in_function in nodes if isinstance(node, ast.ClassDef)]
    if len(statements) > _MOST_CLASSES:
        raise Unreadable("has too many classes to read")
    _find_enums([node for node, _ in statements], found)
    above = [found.ancestors(node, in_function)[0] for node, in_function in statements]
    found.values = any(names & suspicious.VALUE_CLASSES and not names & found.enums for names in above)
    return found


def _walk(tree: ast.AST) -> Iterator[tuple[ast.AST, bool]]:
    """Yield all nodes that bind something, each with whether it stands in a function."""
    left: list[tuple[ast.AST, bool]] = [(tree, False)]
    while left:
        node, in_function = left.pop()
        kind = type(node)
        if kind in _BINDING:
            yield node, in_function
        inner = in_function or kind in _SCOPES
        for name in node._fields:
            value = getattr(node, name, None)
            for child in value if type(value) is list else (value,):
                # Half of all nodes are names, texts and what is done with them, which takes time and binds nothing.
                if isinstance(child, ast.AST) and type(child) not in _LEAVES:
                    left.append((child, inner))


def _is_unknown(node: ast.ImportFrom) -> bool:
    """Return whether the names of a module are a learner's, as far as the text tells."""
    return node.level > 0 or (node.module or "").partition(".")[0] not in suspicious.IMPORTED


def _import(name: str, alias: ast.alias, node: ast.Import | ast.ImportFrom, found: Bindings) -> None:
    """Note what an imported name is; if it is several things, the one that is not a library's own part."""
    if isinstance(node, ast.ImportFrom):
        source = f"{node.module}.{alias.name}" if not node.level else alias.name
    else:
        source = alias.name if alias.asname else name
    last = source.rpartition(".")[2]
    if last in suspicious.MODULES and source not in suspicious.MODULES and not is_part(source):
        # A module that another one has imported.
        source = last
    if found.source.get(name) not in suspicious.MODULES:
        found.source[name] = source


def _assign(target: ast.expr, value: ast.expr, aliases: list, computed: set[str], found: Bindings) -> None:
    if isinstance(target, ast.Name) and found.is_kind(value):
        found.kinds.add(target.id)
    if not isinstance(target, ast.Name):
        computed |= bound_in(target)
    elif isinstance(value, ast.Constant) or folded(value) is not None:
        found.texts.add(target.id)
    elif isinstance(value, ast.Name | ast.Attribute):
        aliases.append((target.id, value, computed))
    elif isinstance(value, ast.Call) and last_name(value.func) in _PLAIN_MAKERS:
        found.classes.add(target.id)
    else:
        computed.add(target.id)
        # `[np][0]` is what it contains.
        aliases += [(target.id, source, computed) for source in sources(value)]


def _follow(aliases: list[tuple[str, ast.expr, set[str]]], found: Bindings) -> None:
    """Find out what names stand for that are bound to another name or to a part of it."""
    targets: dict[str | None, list[str]] = {}
    for target, value, _ in aliases:
        targets.setdefault(root_name(value), []).append(target)
    for known in (found.imported, classes := set(found.classes)):
        _spread(known, targets)
    for target, value, computed in aliases:
        found.texts.discard(target)
        root = root_name(value)
        if root in found.kinds:
            found.kinds.add(target)
        is_name = isinstance(value, ast.Name)
        if root in found.imported or (is_name and (root in classes or hasattr(builtins, root or ""))):
            if root in found.source and target not in found.source:
                found.source[target] = ".".join([found.source[root], *dotted(value).split(".")[1:]])
            if target != last_name(value):
                found.origin[target] = last_name(value) or target
        else:
            computed.add(target)


def _find_enums(statements: list[ast.ClassDef], found: Bindings) -> None:
    found.enums |= suspicious.WITH_MEMBERS
    below: dict[str | None, list[str]] = {}
    for statement in statements:
        for base in statement.bases:
            below.setdefault(found.base(base, False), []).append(statement.name)
    _spread(found.enums, below)


def _spread(known: set[str], further: dict[str | None, list[str]]) -> None:
    """Add to some names all that follow from them."""
    left = list(known)
    while left:
        new = [name for name in further.get(left.pop(), ()) if name not in known]
        known.update(new)
        left += new


def _is_display(node: ast.expr) -> bool:
    return isinstance(node, ast.List | ast.Tuple) and bool(node.elts)


def folded(node: ast.expr | None) -> str | None:
    """Return the text that is written out, perhaps in pieces or many times over; None if it is something else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = folded(node.left), folded(node.right)
        return left + right if left is not None and right is not None else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) and isinstance(node.right, ast.Constant):
        text, times = folded(node.left), node.right.value
        return text * times if text is not None and type(times) is int and len(text) * times < 10_000 else None
    return None


def bound_in(node: ast.AST) -> set[str]:
    """Return all names that a target of an assignment binds."""
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)}


def is_dunder(name: str) -> bool:
    """Return whether a name is one of those that Python gives a meaning."""
    return name.startswith("__") and name.endswith("__") and len(name) > 4


def own_names(node: ast.ClassDef) -> set[str]:
    """Return the names that a class statement binds in the class."""
    names: set[str] = set()
    left: list[ast.AST] = list(node.body)
    while left:
        inner = left.pop()
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(inner.name)
            continue
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            names.add(inner.id)
        left += ast.iter_child_nodes(inner)
    return names


def overrides(name: str, base: str, has_members: bool) -> bool:
    """Return whether a class below a number, text, array or table lets it say something else than it is."""
    if base in suspicious.WITH_MEMBERS and base not in ("Enum", "Flag"):
        has_members = True
    elif base not in suspicious.VALUE_CLASSES:
        return False
    if name in suspicious.OWN_BUSINESS:
        return False
    if is_dunder(name) or has_members:
        return is_dunder(name)
    known = getattr(builtins, base, None)
    return known is None or hasattr(known, name)


@functools.cache
def is_part(module: str) -> bool:
    """Return whether a library that answers may import has a module of this name with dots: `scipy.signal`."""
    parts = module.split(".")
    if parts[0] not in suspicious.LIBRARIES or not all(part.isidentifier() for part in parts) or len(module) > 200:
        return False
    places = [Path(sysconfig.get_path(kind), *parts) for kind in ("purelib", "platlib")]
    return any(place.is_dir() or place.with_suffix(".py").is_file() for place in places)


@functools.cache
def is_installed(package: str) -> bool:
    """Return whether the environment has a package of this name, beside Python's own."""
    if package in sys.stdlib_module_names:
        return False
    places = list({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    return package.isidentifier() and PathFinder.find_spec(package, places) is not None
