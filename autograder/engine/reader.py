"""Walk through learner code and collect what no honest answer needs; see screen.py for what becomes of it."""

import ast
import functools
from collections.abc import Iterable

from autograder.engine import suspicious
from autograder.engine.bindings import (
    Bindings,
    bindings,
    folded,
    is_dunder,
    is_installed,
    is_part,
    overrides,
    own_names,
)
from autograder.engine.calls import (
    classes_made,
    has_written_keys,
    is_ordinary,
    is_text,
    is_written_out,
    stores_through,
    strange_calls,
    styles,
)
from autograder.engine.cells import TOO_DEEP, TOO_MANY, Unreadable, parse_cell
from autograder.engine.expressions import dotted, last_name, root_name, sources, spine
from autograder.engine.magics import magic, unknown_magic
from autograder.engine.stores import method_set
from autograder.engine.written import Written

# Texts within the code that are read like cells: shell lines have a few.
_MOST_READINGS = 1000
# More is no use to anybody.
_MOST_FINDINGS = 1000


def found_in(trees: list[ast.Module], names: Bindings) -> list[str]:
    """Return what should be looked at in some cells.

    Args:
        trees: the cells.
        names: what the names in them stand for.

    Raises:
        Unreadable: there is more to them than can be read.
    """
    return _found_in(trees, names, [_MOST_READINGS], trees)


def _found_in(
    trees: list[ast.Module], names: Bindings, readings: list[int], cells: list[ast.Module] | None = None
) -> list[str]:
    reader = _Reader(names, readings, cells)
    try:
        for tree in trees:
            reader.visit(tree)
    except RecursionError:
        raise Unreadable(TOO_DEEP) from None
    return reader.found


_NAMED = frozenset((ast.alias, ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.MatchMapping))
_NAMED |= {ast.keyword, ast.arg}
# A third of all nodes: `+`, `<`, whether a name is read or bound.
_SIGNS = frozenset(
    kind
    for base in (ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.boolop)
    for kind in base.__subclasses__()
)


# With these a module is only looked at.
_LOOKING = frozenset(("print", "help", "dir", "type", "hasattr", "getattr", "isinstance", "repr", "str", "id"))

# Set to show the values of all lines of a cell.
_OF_SHELL = "ast_node_interactivity"
# What torch may have as its default.
_DEVICES = frozenset(("cpu", "cuda", "cuda:0", "mps"))


def _binds_self(node: ast.AST) -> bool:
    """Whether something makes `self` another object."""
    if isinstance(node, ast.Name):
        return node.id == "self" and not isinstance(node.ctx, ast.Load)
    return type(node) is not ast.arg and any(
        getattr(node, field, None) == "self" for field in ("name", "asname", "rest")
    )


def _is_private(module: str) -> bool:
    """Return whether this is a part of a library that the library keeps to itself."""
    return any(part.startswith("_") and not is_dunder(part) for part in module.split(".")[1:])


class _Reader(ast.NodeVisitor):
    def __init__(self, names: Bindings, readings: list[int], cells: list[ast.Module] | None) -> None:
        self.found: list[str] = []
        self.names = names
        # All cells, if this reads cells and not a text within one.
        self.cells = cells
        # How many more texts may be read, all readers within this one taken together.
        self.readings = readings
        # Nodes that were judged with what is around them.
        self.judged: set[int] = set()
        # What an item is taken of.
        self.indexed: set[int] = set()
        # Functions that are called with what does no harm.
        self.harmless: set[int] = set()
        # Parts of a text that was judged as a whole.
        self.pieces: set[int] = set()
        # Names of which an attribute is taken.
        self.based: set[int] = set()
        # Modules that get another name, or are only looked at; attributes that are set to a number or a text.
        self.named: set[int] = set()
        self.plainly_set: set[int] = set()
        # Attributes that are only looked at.
        self.shown: set[int] = set()
        # Arithmetic of a class under another name of its own.
        self.renamed: set[int] = set()
        self.functions = self.classes = self.pauses = 0
        # Whether a function here is a method, of a class that is below no value.
        self.methods = self.of_no_value = False
        # Whether `self` is a method's own object, and what the functions around are passed.
        self.has_self = False
        self.parameters: frozenset[str] = frozenset()

    def visit(self, node: ast.AST) -> None:
        kind = type(node)
        if kind in _SIGNS:
            return
        # Of aliases, patterns, handlers, nested classes and keyword arguments: a name is a name.
        for field in ("name", "asname", "rest", "arg") if kind in _NAMED else ():
            name = getattr(node, field, None)
            if isinstance(name, str):
                self._dunder(name)
                if name in suspicious.ANSWERING:
                    self.found.append(f"{name} other than as a method")
        if len(self.found) > _MOST_FINDINGS:
            raise Unreadable("is wrong in too many places")
        super().visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name not in suspicious.OPENED:
                # Of the others, each part is looked at.
                self._module(alias.name)
            if _is_private(alias.name):
                self.found.append(f"the private module {alias.name}")
        self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        aliases = [a for a in node.names if a.name != "InteractiveShell" or self._shell_settings is None]
        if node.module not in suspicious.OPEN_MODULES and not node.level:
            for alias in aliases:
                if f"{node.module}.{alias.name}" not in suspicious.OPEN_NAMES:
                    self._module(f"{node.module}.{alias.name}")
            if _is_private(node.module or ""):
                self.found.append(f"the private module {node.module}")
        for alias in aliases:
            self._attribute(alias.name)
            if alias.name in suspicious.PARTS:
                self.found.append(f"{node.module}.{alias.name}")
            if alias.name.startswith("_") and not alias.name.startswith("__"):
                self.found.append(f"{node.module}.{alias.name}")
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr == _OF_SHELL and id(node) in (self._shell_settings or ()):
            return
        name, root, told = node.attr, root_name(node.value), False
        if (
            isinstance(node.ctx, ast.Load)
            and id(node) not in self.judged
            and last_name(node.value) in self.names.classes
        ):
            self._method_as_value(name)
        if isinstance(node.value, ast.Name | ast.Attribute):
            self.based.add(id(node.value))
        if name.endswith("Meta") and len(name) > 4:
            self.found.append(name)
        if isinstance(node.ctx, ast.Load) and root in self.names.modules:
            full = ".".join([self.names.source.get(root, root), *dotted(node).split(".")[1:]])
            if not self._is_followed(node) and is_part(full):
                self.found.append(f"the module {dotted(node)} as a value")
        if name == "__enter__" and not (isinstance(node.value, ast.Call) and last_name(node.value.func) == "super"):
            # What is entered so is not left when the test begins.
            self.found.append("__enter__ by hand")
        looked_at = name == "__mro__" and id(node) in self.shown and id(node) not in self.indexed
        looked_at |= name in suspicious.TELLING and isinstance(node.ctx, ast.Load)
        if not looked_at and (name != "modules" or id(node) not in self.judged) and id(node) not in self.harmless:
            # net.modules() lists layers, sys.modules is another matter.
            self._attribute(name)
        if root in self.names.imported:
            settings = any(isinstance(n, ast.Attribute) and n.attr in suspicious.SETTINGS for n in spine(node.value))
            if isinstance(node.ctx, ast.Store | ast.Del) and not settings:
                self.found.append(f"an assignment to {root}.{name}")
                told = True
            source = self.names.source.get(root, root)
            full = ".".join([source, *dotted(node).split(".")[1:]])
            is_open = any(f"{full}.".startswith(f"{part}.") for part in suspicious.OPEN_MODULES)
            is_open |= full in suspicious.OPEN_FUNCTIONS and id(node) in self.judged
            if name in suspicious.PARTS or (source in suspicious.MODULES and not is_open):
                # What the instructor uses of such a module is not all of it.
                self.found.append(dotted(node))
            if name.startswith("_") and not name.startswith("__") and name not in suspicious.UNDERSCORED:
                self.found.append(f"{root}.{name}")
            if name in suspicious.ONLY_CALLED and id(node) not in self.judged:
                self.found.append(f"{root}.{name}")
        is_styler = id(node) in self.judged and styles(node, self.names)
        if name in ("format", "format_map") and not is_styler and not is_text(node.value, self.names):
            # `"{0.name}".format(x)` reads attributes, and a text put together can name any.
            self.found.append("format with a computed text")
        if name.startswith("parse_") and name.endswith("_args") and id(node) not in self.judged:
            self.found.append(f"{name} as a value")
        if not isinstance(node.ctx, ast.Load):
            self._store(node, root)
        if name == "formatter" and isinstance(node.ctx, ast.Store):
            self.found.append("format with a computed text")
        if isinstance(node.ctx, ast.Store):
            if name in suspicious.ANSWERING:
                self.found.append(f"{name} other than as a method")
            if self.names.values and root != "self" and not told:
                # A method may be set in the class, or in what is called by another name here.
                self.found.append("an attribute that is set beside a class below a value")
            if name == "mask" and not self._is_own(node.value):
                self.found.append("an assignment to a mask")
            if name == "arg_constraints":
                # torch takes attributes of these names.
                self.found.append("an assignment to arg_constraints")
        if name == "__class__":
            if isinstance(node.ctx, ast.Store | ast.Del):
                self.found.append("an assignment to __class__")
            elif self.names.is_kind(node.value) or self.names.is_class(node.value):
                self.found.append("the class of a class")
        if name == "__annotations__" and id(node) not in self.shown:
            self.found.append("__annotations__ other than to look at them")
        self.generic_visit(node)

    def _method_as_value(self, name: str) -> None:
        # Called by another name, it may be given anything for `self`.
        if any("self" in function.stored for function in self.names.storing.get(name, ())):
            self.found.append(f"the method {name} as a value")

    def _store(self, node: ast.Attribute, root: str | None) -> None:
        """Name an attribute that is set of what is no learner's own."""
        inner = list(spine(node.value))
        private = any(isinstance(n, ast.Attribute) and n.attr.startswith("_") and not is_dunder(n.attr) for n in inner)
        if private and root in self.parameters:
            self.found.append(f"an assignment to {dotted(node)}")
        told = node.attr in suspicious.OFTEN_SET or id(node) in self.plainly_set
        of_a_call = root is None and any(isinstance(part, ast.Call) for part in inner)
        if of_a_call and isinstance(node.ctx, ast.Store) and not told:
            self.found.append(f"an attribute {node.attr} that is set of what a call gives")
        if root is None:
            # `core(np).isclose = f`, `[np][0].isclose = f`
            of_calls = [argument for call in inner if isinstance(call, ast.Call) for argument in call.args]
            given = [source for part in (inner[-1], *of_calls) for source in sources(part)]
            kinds = [source for source in given if root_name(source) in self.names.imported]
            made = isinstance(inner[-1], ast.Name) and inner[-1].id in self.names.imported
            self.found += [f"an assignment to an attribute of {dotted(kind)}" for kind in kinds if not made]

    def visit_Assign(self, node: ast.Assign | ast.AnnAssign) -> None:
        targets = [node.target] if isinstance(node, ast.AnnAssign) else node.targets
        if isinstance(node.value, ast.Name | ast.Attribute) and all(isinstance(t, ast.Name) for t in targets):
            # Under its other name it is followed.
            self.named.add(id(node.value))
        if isinstance(node.value, ast.Constant):
            self.plainly_set.update(map(id, targets))
        for target in targets if node.value is not None else ():
            self._looks(method_set(target, node.value, self.names.functions))
            if isinstance(target, ast.Name) and target.id == "arg_constraints" and not has_written_keys(node.value):
                self.found.append("arg_constraints with computed names")
        self.generic_visit(node)

    visit_AnnAssign = visit_Assign

    def _looks(self, targets: Iterable[ast.Attribute]) -> None:
        """Name methods with which tests look at a value, if they are set on an object of something else."""
        others = [target.attr for target in targets if not (self.of_no_value and self._is_own(target.value))]
        self.found += [f"a method {name} that is set on one object" for name in others]

    def _is_own(self, node: ast.expr) -> bool:
        """Whether something belongs to a method's own object."""
        return self.has_self and root_name(node) == "self"

    def visit_Name(self, node: ast.Name) -> None:
        name = node.id
        if self.methods and isinstance(node.ctx, ast.Load) and id(node) not in self.based:
            # In the body of its class.
            self._method_as_value(name)
        # After `from x import *` an attribute's name may stand alone.
        starred = self.names.starred and name in suspicious.ATTRIBUTES and name not in suspicious.ONLY_CALLED
        # `import importlib` is told as such, and so is what is done with it.
        starred = starred and not (name in suspicious.MODULES and self.names.source.get(name) == name)
        if (name in suspicious.CALLS or self._is_history(name) or starred) and id(node) not in self.shown:
            self.found.append(name)
        if (
            self.names.source.get(name) in suspicious.MODULES
            and id(node) not in self.based
            and name in self.names.imported
            and not self._is_own_check(name)
        ):
            # Of a module with parts that are told apart, no more than these.
            self.found += [f"{name} as a value"] if isinstance(node.ctx, ast.Load) else []
        if name in self.names.modules and isinstance(node.ctx, ast.Load) and not self._is_followed(node):
            own = self.names.computed | self.names.local | self.names.texts | self.names.functions
            if name not in own and self.names.source.get(name) not in suspicious.MODULES:
                # Whoever holds it could set what it holds.
                self.found.append(f"the module {name} as a value")
        only_called = name in suspicious.ONLY_CALLED or self.names.source.get(name) == "inspect.signature"
        if only_called and id(node) not in self.judged and isinstance(node.ctx, ast.Load):
            self.found.append(f"{name} as a value")
        if name == "__annotations__" and isinstance(node.ctx, ast.Store):
            self.found.append("__annotations__ other than to look at them")
        if self.classes and isinstance(node.ctx, ast.Store) and name in suspicious.ANSWERING:
            self.found += [] if id(node) in self.renamed else [f"{name} other than as a method"]
        self._dunder(name)

    def _is_followed(self, node: ast.Name | ast.Attribute) -> bool:
        """Whether it is told elsewhere what becomes of a module, if this is one; nobody calls a module."""
        return any(id(node) in place for place in (self.based, self.named, self.judged))

    def _is_own_check(self, name: str) -> bool:
        """Whether a name of the course's `check`, of which no test uses the learner's copy, is bound anew."""
        return self.names.source.get(name) == "dlcourse.check" and self.names.is_rebound(name)

    def _is_plain(self, name: str | None) -> bool:
        """Whether a name is still Python's own."""
        return not self.names.unknown and name not in self.names.imported and not self.names.is_rebound(name)

    def _is_history(self, name: str) -> bool:
        own = name in suspicious.OFTEN_BOUND and name in self.names.computed | self.names.local | self.names.texts
        return name in suspicious.HISTORY and not own

    def visit_Call(self, node: ast.Call) -> None:
        self.judged.add(id(node.func))
        name = node.func.id if isinstance(node.func, ast.Name) else None
        if name in ("map", "isinstance", "issubclass"):
            self.judged.update(id(a) for a in node.args if isinstance(a, ast.Name) and a.id == "type")
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("apply", "map") and len(node.args) == 1:
            # Of a series, unless a class here has a method of this name.
            plain = node.func.attr not in self.names.functions and not node.keywords
            self.judged.update(id(a) for a in node.args if isinstance(a, ast.Name) and a.id == "type" and plain)
        own = name in self.names.functions and name not in self.names.computed | self.names.local
        if (name in _LOOKING and self._is_plain(name)) or own:
            self.named.update(map(id, [*node.args, *(keyword.value for keyword in node.keywords)]))
        if name in ("print", "len", "list", "sorted") and self._is_plain(name):
            # They see keys, or write the whole.
            self._only_shown(*node.args)
        if name in ("print", "len", "list", "sorted", "dict", "display"):
            self._looked_at(*node.args)
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("get", "items", "keys", "values", "copy"):
            self._looked_at(node.func.value)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "defined" and self._is_from_check(node.func):
            # The given tests ask so whether a name is there.
            calls = [a.func for a in node.args if isinstance(a, ast.Call) and not a.args]
            self.shown.update(id(call) for call in calls if last_name(call) == "globals")
        if (read := magic(node)) is not None:
            findings, texts = read
            self.found += findings
            for text in texts:
                self._read(text)
            return
        if (name_of_magic := unknown_magic(node)) is not None:
            self.found.append(f"the magic %{name_of_magic}")
        if isinstance(node.func, ast.Attribute) and node.func.attr == "save_hyperparameters":
            # d2l's sets attributes, too.
            self._made_by_hand(node)
        if self._sets_what_may_be(node):
            self.harmless.add(id(node.func))
        if name in ("getattr", "hasattr"):
            self._named_attribute(name, node)
        if name == "setattr" and self._is_own_attribute(node):
            self.shown.add(id(node.func))
        if isinstance(node.func, ast.Attribute) and node.func.attr == "__init__":
            self._made_by_hand(node)
        self.found += classes_made(node, self.names, bool(self.functions))
        self.found += strange_calls(node, self.names) + stores_through(node, self.names)
        self.generic_visit(node)

    def _only_shown(self, *nodes: ast.expr) -> None:
        """Note a table of names that nobody gets hold of."""
        for node in nodes:
            if isinstance(node, ast.Attribute) and node.attr == "__dict__":
                self.harmless.add(id(node))
            elif isinstance(node, ast.Call) and last_name(node.func) in ("vars", "locals", "globals"):
                self.shown.add(id(node.func))

    def _sets_what_may_be(self, node: ast.Call) -> bool:
        """Whether a default of torch's is set to a real device, or to numbers that are no coarser than usual."""
        called = last_name(node.func)
        if not isinstance(node.func, ast.Attribute) or len(node.args) != 1 or node.keywords:
            return False
        value = node.args[0]
        if called == "set_default_device":
            made = isinstance(value, ast.Call) and self._is_of_torch(value.func, "device") and not value.keywords
            texts = self._texts(value.args[0] if made and len(value.args) == 1 else value)
            return texts is not None and texts <= _DEVICES
        if called == "set_default_tensor_type":
            return folded(value) == "torch.FloatTensor"
        return called == "set_default_dtype" and self._is_of_torch(value, "float32", "float", "float64", "double")

    def _is_of_torch(self, node: ast.expr, *attributes: str) -> bool:
        """Whether an expression is `torch.NAME` of the module itself, with one of these names."""
        root = node.value.id if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) else None
        is_torch = self.names.source.get(root or "") == "torch" and not self.names.is_rebound(root)
        return is_torch and node.attr in attributes

    @functools.cached_property
    def _shell_settings(self) -> frozenset[int] | None:
        """Where IPython's shell is told to show the values of all lines; None if it is there for anything else, too."""
        nodes = [node for tree in self.cells or () for node in ast.walk(tree)]
        texts = [node for node in nodes if isinstance(node, ast.Assign) and folded(node.value) is not None]
        targets = [target for node in texts for target in node.targets]
        settings = [t for t in targets if isinstance(t, ast.Attribute) and t.attr == _OF_SHELL]
        names = {id(node) for node in nodes if isinstance(node, ast.Name) and node.id == "InteractiveShell"}
        aliases = [node for node in nodes if isinstance(node, ast.alias)]
        renamed = any(a.asname is not None and "InteractiveShell" in (a.name, a.asname) for a in aliases)
        if self.cells is None or renamed or not names <= {id(setting.value) for setting in settings}:
            return None
        return frozenset(id(setting) for setting in settings if id(setting.value) in names)

    def _is_from_check(self, function: ast.Attribute) -> bool:
        root, names = root_name(function.value), self.names
        return root == "check" and root in names.imported and root not in names.computed | names.local

    def _looked_at(self, *nodes: ast.expr) -> None:
        self.shown.update(id(node) for node in nodes if isinstance(node, ast.Attribute))

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.indexed.add(id(node.value))
        if isinstance(node.ctx, ast.Load):
            self._looked_at(node.value)
        self.generic_visit(node)

    def visit_For(self, node: ast.For | ast.comprehension | ast.FormattedValue | ast.Compare) -> None:
        self._looked_at(*(getattr(node, field, None) for field in ("iter", "value", "left")))
        self._looked_at(*getattr(node, "comparators", ()))
        if isinstance(node, ast.For | ast.comprehension):
            self._only_shown(node.iter)
            if isinstance(node.iter, ast.List | ast.Tuple) and isinstance(node.target, ast.Name):
                # Followed under the name that it gets, if this is no comprehension.
                self.named.update(map(id, node.iter.elts))
            self._looks(method_set(node.target, None))
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Constant):
            self._asked_for(node)
        self.generic_visit(node)

    visit_comprehension = visit_FormattedValue = visit_Compare = visit_AsyncFor = visit_For

    def _asked_for(self, node: ast.Compare) -> None:
        """Note that a name or module is only asked for: `"model" in globals()`, `"google.colab" in sys.modules`."""
        for place in node.comparators if all(isinstance(o, ast.In | ast.NotIn) for o in node.ops) else ():
            if isinstance(place, ast.Attribute) and dotted(place) == "sys.modules":
                self.judged.add(id(place))
            else:
                self._only_shown(place)

    def _named_attribute(self, function: str, node: ast.Call) -> None:
        if node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
            self.found.append(f"{function} with computed arguments")
        elif len(node.args) > 1:
            wanted = node.args[1]
            if isinstance(wanted, ast.Constant) and isinstance(wanted.value, str):
                self._attribute(wanted.value)
                if last_name(node.args[0]) in self.names.classes:
                    self._method_as_value(wanted.value)
                self.found += ["__enter__ by hand"] if wanted.value == "__enter__" else []
            elif function == "getattr" and not self._is_own_attribute(node):
                texts = self._texts(wanted)
                for text in sorted(texts or ()):
                    self._named_attribute(function, ast.Call(node.func, [node.args[0], ast.Constant(text)], []))
                self.found += [] if texts else ["getattr with a computed name"]

    def _texts(self, node: ast.expr) -> frozenset[str] | None:
        """Return the texts that an expression may be, if all are written out."""
        return self._written.texts(node) if self._written is not None else None

    @functools.cached_property
    def _written(self) -> Written | None:
        return None if self.cells is None or self.names.unknown else Written(self.cells, self._is_plain)

    def _is_own_attribute(self, node: ast.Call) -> bool:
        """Whether getattr or setattr is for something of a method's own object, as in `setattr(self, f"fc{i}", x)`."""
        plain = len(node.args) > 1 and not node.keywords and not any(isinstance(a, ast.Starred) for a in node.args)
        if not plain or not isinstance(node.args[0], ast.Name) or not self._is_own(node.args[0]):
            return False
        sums = any(isinstance(part, ast.Add) for part in ast.walk(node.args[1]))
        # `"fc" + x` is what the class of `x` says it is.
        return is_ordinary(node.args[1]) and not (sums and "__radd__" in self.names.functions)

    def _made_by_hand(self, node: ast.Call) -> None:
        """Name a library's way to make an object that is used on something else."""
        first, value = node.args[0] if node.args else None, node.func.value
        of_super = isinstance(value, ast.Call) and last_name(value.func) == "super"
        own = isinstance(first, ast.Name) and self._is_own(first)
        if first is not None and not (of_super or own or self._is_own(value) or isinstance(first, ast.Constant)):
            self.found.append(f"{node.func.attr} of something else")

    def _read(self, source: str) -> None:
        self.readings[0] -= 1
        if self.readings[0] < 0:
            raise Unreadable(TOO_MANY)
        if (tree := parse_cell(source)) is None:
            return
        names = bindings([tree], self.names)
        names.texts |= self.names.texts - names.computed
        self.found += _found_in([tree], names, self.readings)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if node.name in suspicious.LYING_METHODS:
            self.found.append(f"a method {node.name}")
        if node.name in suspicious.ANSWERING and node.decorator_list:
            self.found.append(f"a method {node.name} that is something else")
        method = self.methods and not any(last_name(d) == "staticmethod" for d in node.decorator_list)
        given = [*node.args.posonlyargs, *node.args.args][method:]
        given += [argument for argument in (*node.args.kwonlyargs, node.args.vararg, node.args.kwarg) if argument]
        before, self.parameters = self.parameters, self.parameters | {argument.arg for argument in given}
        was_in_class, had_self = self.methods, self.has_self
        if method:
            first = [argument.arg for argument in [*node.args.posonlyargs, *node.args.args]][:1]
            self.has_self = first == ["self"] and not any(_binds_self(inner) for inner in ast.walk(node))
        elif was_in_class or "self" in {argument.arg for argument in given}:
            self.has_self = False
        self.methods = False
        # What a parameter of one's own is given, is followed.
        self.named.update(map(id, [*node.args.defaults, *node.args.kw_defaults]))
        self.functions += 1
        self.generic_visit(node)
        self.functions -= 1
        self.parameters, self.methods, self.has_self = before, was_in_class, had_self

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        had_self = self.has_self
        self.has_self &= all(
            argument.arg != "self" for argument in ast.walk(node.args) if isinstance(argument, ast.arg)
        )
        self.generic_visit(node)
        self.has_self = had_self

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        before = self.pauses
        for item in node.items:
            self._looks(method_set(item.optional_vars, None) if item.optional_vars else ())
        self.generic_visit(node)
        if self.pauses > before:
            # What is entered is in force for whoever goes on meanwhile: the test, say.
            kinds = [item.context_expr for item in node.items if not self._is_file_or_gradient(item.context_expr)]
            self.found += [f"a pause within {dotted(kind) or 'a with block'}" for kind in kinds]

    visit_AsyncWith = visit_With

    def _is_file_or_gradient(self, node: ast.expr) -> bool:
        name = dotted(node)
        source = self.names.source.get(name.partition(".")[0], "open" if name == "open" else "torch")
        return isinstance(node, ast.Call) and (
            source.partition(".")[0] != "torch" or name.rpartition(".")[2] in ("no_grad", "enable_grad")
        )

    def visit_Yield(self, node: ast.Yield | ast.YieldFrom | ast.Await) -> None:
        self.pauses += 1
        self.generic_visit(node)

    visit_YieldFrom = visit_Await = visit_Yield

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Constant):
            # A docstring, which nobody evaluates.
            self.judged.add(id(node.value))
        self._looked_at(node.value)
        self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        if any(keyword.arg in ("metaclass", None) for keyword in node.keywords):
            self.found.append("a metaclass")
        for name in own_names(node) & suspicious.LYING_METHODS:
            self.found.append(f"a method {name}")
        self._other_names(node)
        bases = [self.names.base(base, bool(self.functions)) for base in node.bases]
        if None in bases:
            self.found.append("a base class computed at run time")
        above, own = self.names.ancestors(node, bool(self.functions))
        self.found += [f"a class below {base}" for base in sorted(above & suspicious.REDIRECTING)]
        for base in sorted(above & (suspicious.VALUE_CLASSES | suspicious.WITH_MEMBERS)):
            told = {name for name in own if overrides(name, base, bool(self.names.enums & above))}
            self.found += [f"a class below {base} with a {name} of its own" for name in sorted(told)]
        for statement in node.body:
            targets = statement.targets if isinstance(statement, ast.Assign) else []
            if any(isinstance(target, ast.Name) and target.id == "__slots__" for target in targets):
                self.found += [] if is_written_out(statement.value, self.names) else ["computed __slots__"]
        self.classes += 1
        before = self.methods, self.of_no_value, self.has_self
        self.methods, self.of_no_value, self.has_self = True, not above & suspicious.VALUE_CLASSES, False
        self.generic_visit(node)
        self.classes -= 1
        self.methods, self.of_no_value, self.has_self = before

    def _other_names(self, node: ast.ClassDef) -> None:
        """Note where arithmetic is bound to another name of it (`__rmul__ = __mul__`), which is no finding."""
        for statement in node.body:
            value = statement.value if isinstance(statement, ast.Assign) else None
            if isinstance(value, ast.Name) and value.id in suspicious.ANSWERING:
                self.renamed.update(map(id, statement.targets))
                # Under either name it is called for an object of the class.
                self.based.add(id(value))

    def visit_Constant(self, node: ast.Constant) -> None:
        # Format strings, operator.attrgetter and the like reach attributes through text.
        if isinstance(node.value, str | bytes) and id(node) not in self.judged:
            text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            self.found += [f"the text {word}" for word in suspicious.RAW_MEMORY if word in text]
        if isinstance(node.value, str) and "__" in node.value and id(node) not in self.judged:
            for word in node.value.replace(".", " ").replace("{", " ").replace("}", " ").split():
                self._dunder(word.split("[")[0])

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if id(node) not in self.pieces:
            if text := folded(node):
                # Put together, pieces may name what none of them names.
                self.visit_Constant(ast.Constant(text))
            self.pieces.update(id(side) for side in (node.left, node.right)) if text else None
        else:
            self.pieces.update(id(side) for side in (node.left, node.right))
        self.generic_visit(node)

    def visit_MatchClass(self, node: ast.MatchClass) -> None:
        for attribute in node.kwd_attrs:
            self._attribute(attribute)
        if node.patterns and not self.names.is_class(node.cls):
            # Which attributes these are, the class says when it is asked.
            self.found.append("a class pattern without names")
        self.generic_visit(node)

    def _module(self, name: str) -> None:
        parts = name.split(".")
        if ".".join(parts[:2]) in suspicious.OPEN_MODULES:
            return
        for end in range(1, len(parts) + 1):
            if ".".join(parts[:end]) in suspicious.MODULES:
                # Of what is told apart already, no further parts.
                self.found.append(f"the module {name if end == 1 else '.'.join(parts[:end])}")
                return
        if parts[0] not in suspicious.LIBRARIES and is_installed(parts[0]):
            self.found.append(f"the module {parts[0]}")

    def _attribute(self, name: str) -> None:
        if name in suspicious.ATTRIBUTES:
            self.found.append(name)
        self._dunder(name)

    def _dunder(self, name: str) -> None:
        if is_dunder(name) and name not in suspicious.PLAIN_DUNDERS:
            self.found.append(name)
