"""Read learner code before it runs, and name what no honest answer needs.

The gate (gate.py) notices most tampering while it happens. What it cannot notice needs names that have no
place in an answer: attributes such as `__globals__`, objects that claim to equal everything, IPython's
hooks. Whatever the instructor's own notebook uses is never held against a learner. A finding costs
nothing by itself: it sends the submission to a human.
"""

import ast
import base64
import contextlib
import functools
import re
import textwrap
from collections.abc import Iterable

from IPython.core.inputtransformer2 import TransformerManager

from autograder.engine.plan import parse

# Attributes with underscores that answers do use.
_PLAIN_DUNDERS = """
    __init__ __len__ __getitem__ __setitem__ __iter__ __next__ __call__ __repr__ __str__ __enter__ __exit__
    __add__ __sub__ __mul__ __radd__ __rmul__ __rsub__ __truediv__ __rtruediv__ __neg__ __pow__ __matmul__
    __contains__ __name__ __main__ __doc__ __version__ __file__ __all__ __post_init__ __hash__ __annotations__
    __future__ __class__ __slots__
"""
# Methods with which an object answers comparisons and conversions as it likes.
_LYING_METHODS = """
    __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __bool__ __float__ __int__ __index__ __format__ __torch_function__
    __torch_dispatch__ __array__ __array_ufunc__ __array_function__ __instancecheck__ __subclasscheck__
    __class_getitem__ __getattribute__ __setattr__ __del__ __prepare__ __init_subclass__ __reduce__ __reduce_ex__
"""
_MODULES = """
    ctypes gc inspect importlib builtins types dis code codeop marshal pickle copyreg atexit signal threading _thread
    multiprocessing subprocess socket faulthandler IPython ipykernel zmq jupyter_client nbgrader autograder
    unittest.mock pdb bdb trace sysconfig site runpy mmap resource fcntl pty cffi dlcourse.check
    torch.library torch.overrides torch.utils.cpp_extension numpy.ma pytest py_compile compileall posix nt pkgutil
    unittest.case zipimport imp cloudpickle dill joblib.externals numba cython pyximport
"""
# Parts of those that answers do use.
_OPEN_MODULES = frozenset(("IPython.display", "multiprocessing.cpu_count"))
_MAGICS = "matplotlib time timeit capture config pip conda mamba precision pprint who whos lsmagic"
_CALLS = "eval exec compile globals locals vars setattr delattr __import__ breakpoint get_ipython"
_ATTRIBUTES = """
    modules _getframe settrace setprofile addaudithook meta_path path_hooks displayhook excepthook unraisablehook
    _exit _current_frames user_ns user_global_ns ast_transformers input_transformers_cleanup input_transformers_post
    set_custom_exc showtraceback run_cell tb_frame f_back f_locals f_globals f_code gi_frame gi_code cr_frame
    cell_contents currentframe attrgetter methodcaller TorchFunctionMode TorchDispatchMode as_strided memmap fromfile
    ctypeslib ctypes DummyArray MonkeyPatch setattr update_wrapper masked_all masked_array set_default_dtype
    set_default_tensor_type set_default_device set_flush_denormal fork forkpty
    load_library register_kernel custom_op _ip
"""
# These only of a module.
_PARTS = "ma mock library overrides masked kernel"
# Settings of libraries that answers may change.
_SETTINGS = ("options", "rcParams", "backends")
_UNDERSCORED = frozenset(("_asdict", "_replace", "_fields", "_make", "_name_", "_value_", "_missing_", "_ignore_"))
_HISTORY = "In Out _i _ii _iii _ih _oh _dh"
_PLAIN_DUNDERS, _LYING_METHODS, _MODULES, _CALLS, _ATTRIBUTES, _HISTORY = (
    frozenset(words.split()) for words in (_PLAIN_DUNDERS, _LYING_METHODS, _MODULES, _CALLS, _ATTRIBUTES, _HISTORY)
)
_MAGICS, _PARTS = frozenset(_MAGICS.split()), frozenset(_PARTS.split())
# As at the start of a pasted line; IPython takes them away.
_PROMPT = re.compile(r"^\s*(In ?\[|>>>|\.\.\.)", re.MULTILINE)


def screen(learner_cells: Iterable[str], instructor_cells: Iterable[str]) -> list[str]:
    """Return what in a learner's cells a human should look at, as sentences.

    Args:
        learner_cells: source of the code cells that a learner could write.
        instructor_cells: source of all code cells of the instructor's notebook, solutions included; what
            these use is allowed.
    """
    allowed, shared = _instructors(tuple(instructor_cells))
    trees = [tree for source in learner_cells if (tree := _parse(source))]
    found = dict.fromkeys(name for name in _suspicious(trees, shared) if name not in allowed)
    return [f"the code uses {name}" for name in found]


# The same for every submission of a class; a run is about one assignment.
@functools.lru_cache(maxsize=8)
def _instructors(cells: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
    """Return what the instructor's cells use that would be suspicious, and the names that they import."""
    trees = [tree for source in cells if (tree := _parse(source))]
    # A learner's cell uses what the instructor's cells import.
    return frozenset(_suspicious(trees, frozenset())), frozenset(_imports(trees))


def _parse(source: str) -> ast.Module | None:
    """Return the tree of a cell, or None: what cannot be read will not run either."""
    # What is Python already, IPython leaves alone, but for pasted prompts; its transformation is slow.
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        if not _PROMPT.search(source):
            return parse(source)
    try:
        # Magics and shell lines become calls of get_ipython().
        return parse(TransformerManager().transform_cell(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _suspicious(trees: list[ast.Module], shared: frozenset[str]) -> list[str]:
    try:
        visitor = _Visitor(_imports(trees, shared), _texts(trees))
        for tree in trees:
            visitor.visit(tree)
    except RecursionError:
        return ["code nested too deeply to read"]
    return visitor.found


def _imports(trees: list[ast.Module], shared: Iterable[str] = ()) -> set[str]:
    """Return the names that are bound to modules or to things out of them, also by another name (`n = np`)."""
    names = set(shared)
    bindings: list[tuple[str, str]] = []
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.Assign | ast.NamedExpr | ast.AnnAssign) and node.value is not None:
            value = node.value
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if isinstance(value, ast.Name | ast.Attribute) and (root := _root(value)):
                bindings += [(target.id, root) for target in targets if isinstance(target, ast.Name)]
    for _ in range(len(bindings)):
        more = {target for target, root in bindings if root in names} - names
        if not more:
            break
        names |= more
    return names


def _texts(trees: list[ast.Module]) -> set[str]:
    """Return the names to which nothing but texts written out are assigned."""
    texts, others = set(), set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            texts |= {target.id for target in node.targets if isinstance(target, ast.Name)}
            others |= {name.id for t in node.targets if not isinstance(t, ast.Name) for name in _names(t)}
        elif isinstance(node, ast.arg):
            others.add(node.arg)
        elif isinstance(node, ast.Assign):
            others |= {name.id for target in node.targets for name in _names(target)}
        elif isinstance(node, ast.AugAssign | ast.AnnAssign | ast.NamedExpr | ast.For | ast.comprehension):
            others |= {name.id for name in _names(node.target)}
    return texts - others


def _names(node: ast.AST) -> list[ast.Name]:
    return [inner for inner in ast.walk(node) if isinstance(inner, ast.Name)]


class _Visitor(ast.NodeVisitor):
    def __init__(self, imported: set[str], texts: set[str]) -> None:
        self.found: list[str] = []
        # Names that stand for modules or what came from them, and names that hold a text written out.
        self.imported, self.texts = imported, texts
        self.called: set[int] = set()

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._module(alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.module not in _OPEN_MODULES:
            for alias in node.names:
                self._module(f"{node.module}.{alias.name}")
        for alias in node.names:
            self._attribute(alias.name)
            if alias.name.startswith("_") and not alias.name.startswith("__"):
                self.found.append(f"{node.module}.{alias.name}")

    def visit_Attribute(self, node: ast.Attribute) -> None:
        root = _root(node.value)
        if node.attr != "modules" or id(node) not in self.called:
            # net.modules() lists layers, sys.modules is another matter.
            self._attribute(node.attr)
        if root in self.imported:
            settings = any(isinstance(n, ast.Attribute) and n.attr in _SETTINGS for n in ast.walk(node.value))
            if isinstance(node.ctx, ast.Store | ast.Del) and not settings:
                self.found.append(f"an assignment to {root}.{node.attr}")
            if node.attr in _PARTS:
                self.found.append(f"{root}.{node.attr}")
            if node.attr.startswith("_") and not node.attr.startswith("__") and node.attr not in _UNDERSCORED:
                self.found.append(f"{root}.{node.attr}")
        if node.attr in ("format", "format_map") and not self._is_text(node.value):
            # `"{0.name}".format(x)` reads attributes, and a text put together can name any.
            self.found.append("format with a computed text")
        if node.attr == "__class__" and isinstance(node.ctx, ast.Store | ast.Del):
            self.found.append("an assignment to __class__")
        self.generic_visit(node)

    def _is_text(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Name):
            return node.id in self.texts
        if isinstance(node, ast.Attribute):
            return node.attr == "style"
        return isinstance(node, ast.Constant)

    def visit_Name(self, node: ast.Name) -> None:
        if node.id in _CALLS or node.id in _HISTORY:
            self.found.append(node.id)
        if node.id in ("getattr", "type") and id(node) not in self.called and isinstance(node.ctx, ast.Load):
            self.found.append(f"{node.id} as a value")
        self._dunder(node.id)

    def visit_Call(self, node: ast.Call) -> None:
        self.called.add(id(node.func))
        name = node.func.id if isinstance(node.func, ast.Name) else None
        if name in ("map", "isinstance", "issubclass"):
            self.called.update(id(a) for a in node.args if isinstance(a, ast.Name) and a.id == "type")
        if self._magic(node):
            return
        if name in ("getattr", "hasattr") and len(node.args) > 1:
            wanted = node.args[1]
            if isinstance(wanted, ast.Constant) and isinstance(wanted.value, str):
                self._attribute(wanted.value)
            elif name == "getattr":
                self.found.append("getattr with a computed name")
        if name == "type" and (len(node.args) != 1 or isinstance(node.args[0], ast.Starred)):
            self.found.append("type with three arguments")
        self.generic_visit(node)

    def _magic(self, node: ast.Call) -> bool:
        """Read a magic or shell line; return whether it was a harmless one."""
        made = node.func.value if isinstance(node.func, ast.Attribute) else None
        if not (isinstance(made, ast.Call) and isinstance(made.func, ast.Name) and made.func.id == "get_ipython"):
            return False
        texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        if len(texts) != len(node.args) or node.keywords:
            return False
        if node.func.attr in ("system", "getoutput", "getoutputs"):
            # A program in the sandbox cannot reach into the kernel.
            return True
        if node.func.attr not in ("run_line_magic", "run_cell_magic") or texts[0] not in _MAGICS:
            return False
        name, line, *body = texts
        if name == "config":
            return line.startswith("InlineBackend.") and line.rpartition("=")[2].strip().strip("\"'").isalnum()
        if name in ("time", "timeit", "capture"):
            code = " ".join(w for w in line.split() if not w.startswith("-")) if name != "capture" else ""
            for source in (code, *body):
                found = _Visitor(self.imported, self.texts)
                found.visit(_parse(source) or parse(""))
                self.found += found.found
        return True

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if node.name in _LYING_METHODS:
            self.found.append(f"a method {node.name}")
        self.generic_visit(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Constant):
            # A docstring, which nobody evaluates.
            self.called.add(id(node.value))
        self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        if any(keyword.arg == "metaclass" for keyword in node.keywords):
            self.found.append("a metaclass")
        for statement in node.body:
            targets = statement.targets if isinstance(statement, ast.Assign) else []
            for target in targets:
                if isinstance(target, ast.Name) and target.id in _LYING_METHODS:
                    self.found.append(f"a method {target.id}")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        # Format strings, operator.attrgetter and the like reach attributes through text.
        if isinstance(node.value, str) and "__" in node.value and id(node) not in self.called:
            for word in node.value.replace(".", " ").replace("{", " ").replace("}", " ").split():
                self._dunder(word.split("[")[0])

    def visit_MatchClass(self, node: ast.MatchClass) -> None:
        for attribute in node.kwd_attrs:
            self._attribute(attribute)
        self.generic_visit(node)

    def _module(self, name: str) -> None:
        parts = name.split(".")
        if ".".join(parts[:2]) in _OPEN_MODULES:
            return
        for end in range(1, len(parts) + 1):
            if ".".join(parts[:end]) in _MODULES:
                self.found.append(f"the module {'.'.join(parts[:end])}")
                return

    def _attribute(self, name: str) -> None:
        if name in _ATTRIBUTES:
            self.found.append(name)
        self._dunder(name)

    def _dunder(self, name: str) -> None:
        if name.startswith("__") and name.endswith("__") and len(name) > 4 and name not in _PLAIN_DUNDERS:
            self.found.append(name)


def _root(node: ast.expr) -> str | None:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def repeated(outputs: Iterable[str], hidden: Iterable[str], visible: str) -> list[str]:
    """Return the literals of hidden tests that a learner's own cells put out, plainly or lightly dressed.

    What a test passes to a function can be kept and shown by a later cell. A secret that was
    enciphered cannot be found so; see docs/grading.md. What stands in the `visible` text as well is no
    secret, and a short word or number may come from anywhere.
    """
    forms = _forms(tuple(hidden), visible)
    found = [text for output in outputs for form, text in forms.items() if form in output]
    return list(dict.fromkeys(found))


@functools.lru_cache(maxsize=8)
def _forms(hidden: tuple[str, ...], visible: str) -> dict[str, str]:
    """Return the forms in which the literals of hidden tests may be put out, each with its literal."""
    literals: set[str] = set()
    for source in hidden:
        tree = _parse(textwrap.dedent(source))
        for node in ast.walk(tree) if tree else ():
            if isinstance(node, ast.Constant) and isinstance(node.value, str | float | int):
                text = node.value if isinstance(node.value, str) else repr(node.value)
                if len(text) >= (12 if isinstance(node.value, str) else 7) and text not in visible:
                    literals.add(text)
    return {
        form: text
        for text in literals
        for form in (text, text[::-1], text.encode().hex(), base64.b64encode(text.encode()).decode())
    }
