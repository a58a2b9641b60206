"""Tells by the name of its file whose some code is, inside a kernel (for gate.py, hook.py and classes.py).

What is here asks nothing but texts, so that learner code has nothing to replace.
"""

from _imp import _frozen_module_names

# Python's own importers, of files and of archives.
IMPORTERS = frozenset(("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>", "<frozen zipimport>"))
FROZEN = IMPORTERS | {f"<frozen {name}>" for name in _frozen_module_names()}


def lies_below(file: str, places: tuple[str, ...]) -> bool:
    """Return whether a file is below one of some folders; a path that goes up again may lead anywhere."""
    return file.startswith(places) and "/../" not in file


def is_frozen(file: str) -> bool:
    """Return whether code with this file name is built into Python; an archive may begin with `<frozen`, too."""
    return file in FROZEN
