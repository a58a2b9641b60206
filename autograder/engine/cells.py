"""Parse the cells of a notebook as a kernel would, or say that they cannot be read, for the reader (screen.py)."""

import ast
import codecs
import contextlib
import functools
import re
from collections.abc import Container, Iterable

from IPython.core.inputtransformer2 import TransformerManager

from autograder.engine import suspicious
from autograder.engine.source import parse

# Characters of all code of a submission; the longest notebook of the course has less than a fifth.
LONGEST = 400_000
# IPython takes a cell apart anew for each magic in it: so many characters in all.
_MOST_WORK = 1_500_000
# Where there may be a magic, a shell line or a question to IPython.
_MAGIC = re.compile(r"\s*[!%?,;/]|.*=\s*[!%]|.*\?\s*\Z")
# A cell of one line may be a magic without a percent sign: `run file.py`.
_BARE = re.compile(r"\s*(\w+)\b(.*)\s*\Z")
# This may be Python as well; with an operator as Python is usually written it is nothing else.
_ARGUMENT = re.compile(r"\s+(\(|\[|[-.]\S)")
_CODING = re.compile(r"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_TYPE_COMMENT = re.compile(r"#\s*type:(.*)")
_BARE_MAGICS = suspicious.words("""
    alias alias_magic autoawait autocall automagic bookmark cat cd code_wrap colors conda config cp debug dhist
    dirs doctest_mode ed edit env gui hist history killbgscripts ldir lf lk ll load load_ext loadpy logoff logon
    logstart logstate logstop ls lsmagic lx macro magic mamba matplotlib micromamba mkdir mv notebook page
    pastebin pdb pdef pdoc pfile pinfo pinfo2 pip popd pprint precision prun psearch psource pushd pwd pycat
    pylab quickref recall rehashx reload_ext rep rerun reset reset_selective rm rmdir run save sc set_env sx
    system tb time timeit unalias unload_ext uv who who_ls whos xdel xmode
""")


class Unreadable(Exception):
    """A kernel may run what cannot be read here. The text says why, as in "the code ..."."""


TOO_DEEP = "is nested too deeply to read"
TOO_LONG = "is too long to read"
TOO_MANY = "has too many magics to read"


def parse_cell(source: str) -> ast.Module | None:
    """Return the tree of a cell, or None: what is no Python and no magic will not run either.

    Raises:
        Unreadable: a kernel, which has other limits perhaps, may run it all the same.
    """
    try:
        manager = TransformerManager()
        lines = (source if source.endswith("\n") else source + "\n").splitlines(keepends=True)
        # Indents and prompts are taken away from within texts, too.
        for transform in manager.cleanup_transforms:
            lines = transform(lines)
        plain = "".join(lines)
        tree = _python(plain)
        if tree is None:
            # Magics and shell lines become calls of get_ipython(). What is Python already, IPython leaves alone.
            if _work([source]) > _MOST_WORK:
                raise Unreadable(TOO_MANY)
            tree = _python(manager.transform_cell(source))
        return _with_bare_magic(tree, plain)
    except SyntaxError:
        return None
    except (RecursionError, MemoryError):
        raise Unreadable(TOO_DEEP) from None
    except Unreadable:
        raise
    except Exception:
        # IPython's transformation fails for some texts in ways of its own.
        raise Unreadable("cannot be read") from None


def has_strange_coding(source: str) -> bool:
    """Whether a module says that its bytes mean something else than they do here; a cell may say so in vain."""
    for line in source.splitlines()[:2]:
        if match := _CODING.match(line):
            with contextlib.suppress(LookupError, ValueError):
                return codecs.lookup(match[1]).name not in ("utf-8", "ascii", "iso8859-1")
    return False


def readable(sources: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return those of some cells that take no more time and memory than they may, and why others are left out."""
    sources = list(sources)
    if sum(map(len, sources)) > LONGEST:
        return [], [TOO_LONG]
    if _work(sources) > _MOST_WORK:
        # Each may be short enough: their sum is not.
        return [source for source in sources if not _work([source])], [TOO_MANY]
    return sources, []


def parse_cells(sources: Iterable[str], given: Container[str] = frozenset()) -> tuple[list[ast.Module], list[str]]:
    """Return the trees of some cells, and why others could not be read.

    Args:
        sources: the cells.
        given: cells of the instructor, whose trees are kept for the other submissions of the class.
    """
    sources, reasons = readable(sources)
    parsed = [_kept(source) if source in given else _trees_of(source) for source in sources]
    reasons += [reason for _, reason in parsed if reason is not None]
    return [tree for trees, _ in parsed for tree in trees], reasons


def _trees_of(source: str) -> tuple[tuple[ast.Module, ...], str | None]:
    try:
        tree = parse_cell(source)
    except Unreadable as reason:
        return (), str(reason)
    return (*([tree] if tree is not None else ()), *_type_comments(source)), None


_kept = functools.lru_cache(maxsize=256)(_trees_of)


def _type_comments(source: str) -> list[ast.Module]:
    """Return what stands in comments on types, which TorchScript evaluates."""
    texts = [text for comment in _TYPE_COMMENT.findall(source) for text in comment.split("->")]
    trees = []
    for text in texts:
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            trees.append(parse(text.strip()))
    return trees


def _work(sources: list[str]) -> int:
    """Return how many characters IPython would take apart."""
    # Backtracking is for short lines only; in a longer one is no magic, or it counts as one.
    counted = (
        (len(source), sum(len(line) > 1000 or bool(_MAGIC.match(line)) for line in source.splitlines()))
        for source in sources
        if any(mark in source for mark in "!%?,;/")
    )
    # A magic becomes a call, which is longer.
    return sum((length + 40 * magics) * magics for length, magics in counted)


def _python(text: str) -> ast.Module | None:
    """Return the tree of Python code, None if it is something else."""
    try:
        return parse(text)
    except SyntaxError as error:
        if "Exceeds the limit" in str(error.msg):
            # Of the digits of a number, which the program that runs it may have raised.
            raise Unreadable("has a number too long to read") from None
        return None
    except ValueError:
        # Null bytes and lone surrogates, of which a kernel cannot make anything either.
        return None


def _with_bare_magic(tree: ast.Module | None, source: str) -> ast.Module | None:
    """Add what a cell of one line means if its first word is a magic."""
    if len(source.splitlines()) != 1 or not (match := _BARE.match(source)) or match[1] not in _BARE_MAGICS:
        return tree
    name, rest = match.groups()
    if tree is not None and name != "autocall" and not _ARGUMENT.match(rest):
        return tree
    magic = parse(f"get_ipython().run_line_magic({name!r}, {rest.strip()!r})")
    return ast.Module([*(tree.body if tree else ()), *magic.body], [])
