"""The audit hook: reports what learner code does to see or change what is not its own, and makes it fail.

Audit events (PEP 578) come from CPython itself, and a hook cannot be taken out again. A kernel executes a
copy of this module beside the gate's (see gate.py), under the same file name and in a namespace of its own.
"""

import re
import sys
from _thread import get_ident
from collections import namedtuple
from collections.abc import Callable
from gc import disable, enable, isenabled
from posix import getpid
from types import CodeType, MappingProxyType, ModuleType
from typing import Any

from autograder.engine.places import IMPORTERS, is_frozen, lies_below

# Read past whatever a learner's class defines under these names.
_MRO_OF = type.__dict__["__mro__"].__get__
_MODULE_SPACE = ModuleType.__dict__["__dict__"].__get__

# Audit events by the word that a library's own code must contain to be the one that asked.
_EVENTS = {
    "sys._getframe": "_getframe",
    "sys._current_frames": "_current_frames",
    "sys._current_exceptions": "_current_exceptions",
    "sys.settrace": "settrace",
    "sys.setprofile": "setprofile",
    "sys.addaudithook": "addaudithook",
    "gc.get_objects": "get_objects",
    "gc.get_referrers": "get_referrers",
    "gc.get_referents": "get_referents",
    "code.__new__": "replace",
    "function.__new__": "FunctionType",
    "compile": "compile eval exec ast parse",
    "exec": "exec eval",
    "pickle.find_class": "load",
    "marshal.load": "load",
    "marshal.loads": "loads",
    "os.fork": "fork",
    "os.forkpty": "fork",
    "object.__getattr__": None,
    "object.__setattr__": None,
    "object.__delattr__": None,
    # Raised by the guarded modules, see watch.py.
    "autograder.setattr": None,
}
# Classes are renamed in all innocence.
_HARMLESS = frozenset(("__name__", "__qualname__", "__module__", "__doc__"))
# Events by the place of the name among their arguments.
_ABOUT_A_NAME = {
    "import": 0,
    "object.__getattr__": 1,
    "object.__setattr__": 1,
    "object.__delattr__": 1,
    "autograder.setattr": 1,
    "pickle.find_class": 1,
}
# These compile what a learner wrote, under a name of the learner's choice.
_ASKED_BY_LEARNERS = ("/IPython/core/compilerop.py", "/IPython/core/interactiveshell.py")
# Modules that give raw memory.
_RAW_MODULES = ("_cffi_backend", "_ctypes")
# Every event whose name starts so, however it came about.
_FAMILIES = ("ctypes.",)
# Library modules through which a learner may look at frames or code: look through them at who called.
_SEE_THROUGH = tuple(
    f"/{name}.py" for name in ("inspect", "bdb", "pdb", "dis", "code", "codeop", "runpy", "trace", "types", "cmd")
) + ("/sympy/utilities/magic.py", "_pyrepl", "ctypes/__init__.py", "ctypes/util.py")
# These look at frames all the time and give only text, but for a few functions that hand out frames.
_TELLERS = ("/logging/__init__.py", "/traceback.py")
_HANDING = {"<lambda>", "currentframe", "walk_tb", "walk_stack", "_walk_tb_with_full_positions"}
# Libraries that compile texts which a learner gives them: these are read like cells.
_READERS = (
    *("/pandas/core/computation/expr.py", "/sympy/parsing/sympy_parser.py", "/sympy/utilities/lambdify.py"),
    *("/timeit.py", "/doctest.py", "/numpy/testing/_private/utils.py", "/PIL/ImageMath.py"),
)
# Libraries whose functions stand in the pickles of models, tables and arrays.
_PICKLED_IN_TESTS = frozenset(
    ("numpy", "torch", "torchvision", "pandas", "sklearn", "scipy", "joblib", "copyreg", "copy_reg", "_codecs", "d2l")
)
# timeit's own loop around what it is given, which it compiles by itself before.
_LOOP = "for _i in _it:"
_LONGEST_CODE = 60_000
# It takes the number of the frame whose names a text may use from its caller.
_BY_LEVEL = "/pandas/core/computation/scope.py"
_OF_HINTS = "/typing.py"
_OF_SIGNATURES = ("_signature_from_function", "_signature_is_functionlike")
# The pattern's own method: it is C, while `re.match` could be replaced.
_ENCODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)").match
_LIKE_ASCII = (b"utf-8", b"utf8", b"utf_8", b"ascii", b"us-ascii", b"latin", b"iso-8859", b"cp125")
# Those that run a text without compiling it first, so that only its code can be looked at.
_RUNNERS = (
    *("/profile.py", "/cProfile.py", "/numpy/testing/_private/utils.py"),
    "/sympy/plotting/experimental_lambdify.py",
)


def _is_no(value: Any) -> bool:
    return value is None or value is False


def _is_below(kind: type, base: type) -> bool:
    """Return whether a class has another one above it, without asking the class."""
    return any(above is base for above in _MRO_OF(kind))


def _names_of(code: CodeType) -> str:
    """Return a text that names whatever some code names, for who reads learners' code."""
    names: dict[str, None] = {}
    left = [code]
    for part in left:
        names.update(dict.fromkeys(part.co_names))
        left += [inner for inner in part.co_consts if type(inner) is CodeType]
        names.update((repr(text), None) for text in part.co_consts if type(text) is str and "__" in text)
    attributes = [f"x.{name}" for name in names if name.isidentifier()]
    return "\n".join([*names, *attributes, *(f"import {name}" for name in names if name[:1] not in "'\"")])


def _says_encoding(source: bytes) -> bool:
    """Return whether a module says (PEP 263) that it is in an encoding in which ASCII means something else."""
    lines = source.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n", 2)[:2]
    named = [match[1].lower() for line in lines if (match := _ENCODING(line))]
    return any(not name.startswith(_LIKE_ASCII) for name in named)


def audit_hook(
    channel: Any, libraries: tuple[str, ...], own_file: str, snapshot: list, running: list[bool]
) -> Callable[[str, tuple], None]:
    """Return a hook that reports introspection by learner code, and makes it fail.

    Args:
        channel: this end of the channel to the grader.
        libraries: path prefixes of code that no learner wrote.
        own_file: file name under which this copy of the module was compiled.
        snapshot: what the gate compares before and after each test.
        running: whether a test runs at this moment, as its one item.
    """
    about_a_name = _ABOUT_A_NAME
    events, families, see_through, tellers = _EVENTS, _FAMILIES, _SEE_THROUGH, _TELLERS
    getframe, ident = sys._getframe, get_ident
    inside: set[int] = set()
    asking: set[int] = set()
    reports = [0]
    owners: dict[str, str] = {}
    # What the grader has been sent to read.
    sent: set[Any] = set()
    process, loaded = getpid(), sys.modules
    classes = [name.rpartition(".") for name, space, *_ in snapshot if type(space) is MappingProxyType]
    watched = {id(_MODULE_SPACE(loaded[module])[kind]) for module, _, kind in classes}
    native = (*libraries, "/usr/", "/lib")
    naming = namedtuple.__code__

    def owner(file: str) -> str:
        """Return whose code has this file name."""
        if file == own_file or file == "<imports>":
            return "ours"
        if not lies_below(file, libraries) and not is_frozen(file):
            return "learner"
        if file.endswith(tellers):
            return "teller"
        return "see-through" if file.endswith(see_through) else "library"

    def who(frame: Any, event: str, word: str) -> str | None:
        """Return the place in learner code that asked for this; None if it was a library for its own purposes."""
        words = frozenset(word.split())
        while frame is not None:
            code = frame.f_code
            file = code.co_filename
            whose = owners.get(file)
            if whose is None:
                whose = owners[file] = owner(file)
            if whose == "ours":
                return None
            if whose == "learner":
                return f"line {frame.f_lineno} of {code.co_name}"
            if whose == "teller":
                # Not asked for its truth: that would run a learner's code in here.
                if code.co_name not in _HANDING and _is_no(frame.f_locals.get("capture_locals")):
                    return None
                words = _HANDING
                if code.co_name in _HANDING and frame.f_back and frame.f_back.f_code.co_filename == file:
                    words = frozenset()
            elif whose == "see-through":
                # inspect, ctypes and their like ask for whoever called them, by their function's or class's name.
                words = {*code.co_qualname.split("."), *(("compile", "exec") if event == "compile" else ())}
            elif any(w in code.co_names or w in code.co_consts for w in words):
                # A library looks at frames for its own purposes. It must be its own code that asks, not
                # a function of the learner's choice that it calls back.
                return None
            elif event.startswith("ctypes.") and "ctypes" in frame.f_globals:
                return None
            frame = frame.f_back
        return None

    def judge(event: str, arguments: tuple, frame: Any) -> str | None:
        """Return what is wrong with an event, or None."""
        if event in about_a_name and type(arguments[about_a_name[event]]) is not str:
            # Events can be raised by anybody, with objects that act when they are looked at.
            return "with a name that is no text"
        if event == "pickle.find_class":
            return unpickled(*arguments, frame.f_code.co_filename)
        if event == "import":
            # Native code of the learner's own could do anything.
            if type(arguments[1]) is str and not lies_below(arguments[1], native):
                return f"native module {arguments[0]}"
            if arguments[0] not in _RAW_MODULES:
                return None
            place = who(frame, event, arguments[0])
            return f"{arguments[0]} at {place}" if place else None
        path = arguments[0] if event == "ctypes.dlopen" and type(arguments[0]) is str else ""
        if "/" in path and not lies_below(path, native):
            return "native library"
        if event == "marshal.loads" and frame.f_code.co_filename in IMPORTERS:
            # Nobody can read compiled code, and it can claim to come from any file.
            path = frame.f_locals.get("bytecode_path", frame.f_locals.get("pathname"))
            if path is not None and (type(path) is not str or not lies_below(path, libraries)):
                return "compiled code"
        if event == "autograder.setattr":
            if not _is_below(type(arguments[0]), ModuleType):
                return "of no module"
            # Asked by whoever set the attribute, not by the guarded class.
            frame = frame.f_back
            if arguments[1] == "Storage" and sets_default(frame):
                # torch does so when it is told another precision, which the reader tells.
                return None
        if event == "object.__getattr__" and frame.f_code.co_name in _OF_SIGNATURES:
            file = frame.f_code.co_filename
            if file.endswith("/inspect.py") and lies_below(file, libraries):
                # It looks at a function's code to count its parameters, and hands out no more than these.
                return None
        word = (events[event] if event in events else event.rpartition(".")[2]) or arguments[1]
        if event == "sys._getframe" and frame.f_code.co_filename.endswith(_BY_LEVEL) and looks_beyond(frame):
            return "of a test"
        if event == "exec" and running[0] and frame.f_code.co_filename.endswith(_OF_HINTS):
            # A hint is evaluated among the names of the function that has it, which may be a test's.
            place = who(frame, event, "get_type_hints")
            if place is not None:
                return f"of a type hint at {place}"
        place = who(frame, event, word)
        if place is not None:
            return f"{word.split()[0]} at {place}"
        if event == "compile":
            if type(arguments[1]) is str and claims(arguments[1], frame.f_code.co_filename):
                return "of code under the name of a library"
            if arguments[0] is not None:
                show(arguments[0], arguments[1], frame)
        elif event == "exec" and frame.f_code.co_filename.endswith(_RUNNERS) and type(arguments[0]) is CodeType:
            tell("code", _names_of(arguments[0]))
        return None

    def sets_default(frame: Any) -> bool:
        file = frame.f_code.co_filename
        return (
            frame.f_code.co_name == "set_default_dtype"
            and file.endswith("/torch/__init__.py")
            and lies_below(file, libraries)
        )

    def looks_beyond(frame: Any) -> bool:
        """Return whether pandas was asked for a frame of the tests or the gate, by a level, from learner code."""
        left = frame.f_locals["self"].level
        between = False
        while type(left) is int and left > 0 and frame.f_back is not None:
            frame, left = frame.f_back, left - 1
            file = frame.f_code.co_filename
            if file == own_file:
                return between
            between = between or not lies_below(file, libraries)
        return left != 0

    def tell(kind: str, text: str) -> None:
        """Send the grader something to read, once; a process that learner code forked has no say."""
        if (kind, text) not in sent and getpid() == process:
            sent.add((kind, text))
            channel.send({kind: text[:_LONGEST_CODE], "cut": len(text) > _LONGEST_CODE})

    def unpickled(module: Any, name: str, asked_by: str) -> str | None:
        """Return what is wrong with something that a pickle names; the grader judges its name."""
        if type(module) is not str:
            return "with a module that is no text"
        if not f"{module}.{name}".replace(".", "").isidentifier():
            return "with a strange name"
        tell("pickled", f"{module} {name}")
        place = loaded.get(module)
        found = _MODULE_SPACE(place).get(name) if _is_below(type(place), ModuleType) else None
        if _is_below(type(found), ModuleType):
            # A pickle can set what is in a module without anybody's notice.
            return f"of the module {name[:80]}"
        # A function of these, or of a learner's, may give a module to what then sets its state.
        strange = module.partition(".")[0] not in _PICKLED_IN_TESTS and not _is_below(type(found), type)
        if running[0] and ("." in name or id(found) in watched or strange) and not of_multiprocessing(asked_by):
            # Nor would a method show that is replaced for a moment.
            return f"of {name[:80]} in a test"
        return None

    def of_multiprocessing(file: str) -> bool:
        return "/multiprocessing/" in file and lies_below(file, libraries)

    def claims(file: str, asked_by: str) -> bool:
        """Return whether code would pass for a library's, or for the gate's, without being loaded from there."""
        if not asked_by.endswith(_ASKED_BY_LEARNERS):
            return False
        library = file.endswith(".py") and lies_below(file, libraries)
        return library or file in (own_file, "<imports>") or is_frozen(file)

    def show(source: Any, file: Any, frame: Any) -> None:
        """Send the grader code that stands in no cell: of modules beside the notebook and of texts for `eval`."""
        if frame.f_code.co_filename in IMPORTERS:
            if type(file) is not str or lies_below(file, libraries):
                return
        elif not frame.f_code.co_filename.endswith("/typing.py"):
            steps = 0
            while frame is not None and not frame.f_code.co_filename.endswith(_READERS):
                frame, steps = frame.f_back, steps + 1
                if steps > 3:
                    return
            if frame is None:
                return
        if type(source) is bytes and _says_encoding(source):
            # Python would read something else than who reads it here.
            tell("tampering", "a module in another encoding than UTF-8")
        text = source if type(source) is str else str(source, "utf-8", "replace") if type(source) is bytes else ""
        asked_by = "" if frame is None else frame.f_code.co_filename
        if asked_by.endswith("/timeit.py"):
            text = text.replace(_LOOP, "if True:")
        elif asked_by.endswith("/typing.py") and "(" not in text and "__" not in text:
            # A name in quotes, of which libraries have hundreds.
            return
        if text:
            tell("code", text)

    def asked_by_hook(me: int) -> bool:
        asking.add(me)
        return getframe(2).f_code.co_filename == own_file

    def hook(event: str, arguments: tuple) -> None:
        # One figure raises 18,000 of these.
        if event == "builtins.id":
            return
        if event not in events and event != "import" and not event.startswith(families):
            return
        if event == "object.__setattr__" and arguments[1] in _HARMLESS:
            return
        me = ident()
        if me in inside:
            # Of the hook's own doing, usually: it asks for a frame, and looks at the code of frames.
            if event == "object.__getattr__" and type(arguments[1]) is str and arguments[1] == "f_code":
                return
            if event == "sys._getframe" and me in asking:
                asking.discard(me)
                return
            if asked_by_hook(me):
                return
            raise RuntimeError("this is not available while a notebook is graded")
        inside.add(me)
        # A collection would run a learner's `__del__` in here, as if the hook had asked for what it does.
        collecting = isenabled()
        disable()
        try:
            asking.add(me)
            frame = getframe(1)
            if frame.f_code is naming and (event == "compile" or event == "exec"):
                # Nothing but names, which have been looked at; and d2l has such a class made for each point it plots.
                return
            found = judge(event, arguments, frame)
            if found is None:
                return
            if reports[0] < 20:
                reports[0] += 1
                channel.send({"tampering": f"{event} {found}"})
        finally:
            inside.discard(me)
            if collecting:
                enable()
        raise RuntimeError("this is not available while a notebook is graded")

    return hook
