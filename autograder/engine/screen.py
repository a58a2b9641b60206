"""Read learner code before it runs, and name what no honest answer needs.

The gate (gate.py) notices most tampering while it happens. What it cannot notice needs names that have no
place in an answer: attributes such as `__globals__`, objects that claim to equal everything, IPython's
hooks. Whatever the instructor's own notebook uses is never held against a learner. A finding costs
nothing by itself: it sends the submission to a human.
"""

import ast
from collections.abc import Iterable

from IPython.core.inputtransformer2 import TransformerManager

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
    multiprocessing subprocess socket faulthandler traceback IPython ipykernel zmq jupyter_client nbgrader autograder
    unittest.mock pdb bdb trace sysconfig site runpy mmap resource fcntl pty cffi dlcourse.check
"""
_CALLS = "eval exec compile globals locals vars setattr delattr __import__ breakpoint get_ipython"
_ATTRIBUTES = """
    modules _getframe settrace setprofile addaudithook meta_path path_hooks displayhook excepthook unraisablehook
    _exit _current_frames user_ns user_global_ns ast_transformers input_transformers_cleanup input_transformers_post
    set_custom_exc showtraceback run_cell tb_frame f_back f_locals f_globals f_code gi_frame gi_code cr_frame
    cell_contents currentframe attrgetter methodcaller TorchFunctionMode TorchDispatchMode as_strided memmap fromfile
    ctypeslib
"""
_HISTORY = "In Out _i _ii _iii _ih _oh _dh"
_PLAIN_DUNDERS, _LYING_METHODS, _MODULES, _CALLS, _ATTRIBUTES, _HISTORY = (
    frozenset(words.split()) for words in (_PLAIN_DUNDERS, _LYING_METHODS, _MODULES, _CALLS, _ATTRIBUTES, _HISTORY)
)


def screen(learner_cells: Iterable[str], instructor_cells: Iterable[str]) -> list[str]:
    """Return what in a learner's cells a human should look at, as sentences.

    Args:
        learner_cells: source of the code cells that a learner could write.
        instructor_cells: source of all code cells of the instructor's notebook, solutions included; what
            these use is allowed.
    """
    allowed: set[str] = set()
    for source in instructor_cells:
        allowed.update(_suspicious(source))
    found: dict[str, None] = {}
    for source in learner_cells:
        found.update(dict.fromkeys(name for name in _suspicious(source) if name not in allowed))
    return [f"the code uses {name}" for name in found]


def _suspicious(source: str) -> list[str]:
    try:
        # Magics and shell lines become calls of get_ipython().
        tree = ast.parse(TransformerManager().transform_cell(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # It will not run either.
        return []
    visitor = _Visitor()
    try:
        visitor.visit(tree)
    except RecursionError:
        return ["code nested too deeply to read"]
    return visitor.found


class _Visitor(ast.NodeVisitor):
    def __init__(self) -> None:
        self.found: list[str] = []
        self.imported: set[str] = set()

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._module(alias.name)
            self.imported.add((alias.asname or alias.name).partition(".")[0])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self._module(node.module or "")
        for alias in node.names:
            self._module(f"{node.module}.{alias.name}")
            self._attribute(alias.name)
            self.imported.add(alias.asname or alias.name)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._attribute(node.attr)
        if isinstance(node.ctx, (ast.Store, ast.Del)) and (root := _root(node.value)) in self.imported:
            self.found.append(f"an assignment to {root}.{node.attr}" if root else "an assignment")
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if node.id in _CALLS or node.id in _HISTORY:
            self.found.append(node.id)
        self._dunder(node.id)

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else None
        if name in ("getattr", "hasattr") and len(node.args) > 1:
            wanted = node.args[1]
            if isinstance(wanted, ast.Constant) and isinstance(wanted.value, str):
                self._attribute(wanted.value)
            elif name == "getattr":
                self.found.append("getattr with a computed name")
        if name == "type" and len(node.args) == 3:
            self.found.append("type with three arguments")
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if node.name in _LYING_METHODS:
            self.found.append(f"a method {node.name}")
        self.generic_visit(node)

    visit_AsyncFunctionDef = visit_FunctionDef

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
        if isinstance(node.value, str) and "__" in node.value:
            for word in node.value.replace(".", " ").replace("{", " ").replace("}", " ").split():
                self._dunder(word.split("[")[0])

    def visit_MatchClass(self, node: ast.MatchClass) -> None:
        for attribute in node.kwd_attrs:
            self._attribute(attribute)
        self.generic_visit(node)

    def _module(self, name: str) -> None:
        parts = name.split(".")
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
