"""Calls with which a text or a function reaches what it should not, for the reader of learner code (reader.py)."""

import ast

from autograder.engine import suspicious
from autograder.engine.bindings import Bindings, folded
from autograder.engine.expressions import dotted, last_name, root_name, sources, spine
from autograder.engine.stores import arguments

_WITH_TEXTS = ("Formatter", "basicConfig", "StrFormatStyle", "StrMethodFormatter", "set_option", "option_context")
_WITH_TEXTS += (*suspicious.NAMESPACES, "set_defaults", "set_printoptions", "printoptions", "errstate", "eval", "query")
_PARSING = ("parse_args", "parse_known_args", "parse_intermixed_args", "parse_known_intermixed_args")
_ARRAYS = ("ndarray", "recarray", "chararray", "memmap")


def strange_calls(node: ast.Call, names: Bindings) -> list[str]:
    """Return what is strange about a call of a library's function or of one of the same name."""
    called, words = _called(node.func, names), {keyword.arg for keyword in node.keywords}
    found = []
    if called == "partial" and node.args and _called(node.args[0], names) in _WITH_TEXTS:
        found.append("a partial of a function that formats")
    if not all(_is_plain_format(text, names) for text in _formats(node, names)):
        found.append("format with a computed text")
    if called == "wraps" and (len(node.args) > 1 or words):
        # It copies the attributes that it is told to.
        found.append("wraps with computed names")
    of_wraps = isinstance(node.func, ast.Call) and _called(node.func.func, names) == "wraps"
    if of_wraps and not all(isinstance(a, ast.Name) and a.id in names.functions for a in node.args):
        # It sets what the first function has in whatever this is.
        found.append("wraps of something else than a function of one's own")
    if called in _PARSING and (len(node.args) > 1 or words - {"args"}):
        # It sets attributes of computed names.
        found.append("parse_args with a place for its results")
    if called in ("eval", "query") and ("level" in words or len(node.args) > 3):
        # It takes the names of whoever called its caller.
        found.append("eval with a level")
    # A test calls these when its message quotes a value.
    of_texts = all(_formats_by_texts(keyword.value, names) for keyword in node.keywords if keyword.arg == "formatter")
    if called in ("set_printoptions", "printoptions") and (words & {"override_repr", None} or not of_texts):
        found.append("print options with a function")
    starred = any(isinstance(argument, ast.Starred) for argument in node.args)
    if called == "set_printoptions" and (len(node.args) > 7 or starred):
        found.append("print options with a function")
    if called == "errstate" and words & {"call", None}:
        found.append("errstate with a function")
    if called == "get_type_hints" and not _is_own(node, names):
        # It evaluates texts among the names of whatever this is.
        found.append("get_type_hints of something else than a function or class of one's own")
    if called == "set_defaults" or called in suspicious.NAMESPACES:
        spread = [keyword.value for keyword in node.keywords if keyword.arg is None]
        if not all(has_written_keys(table) for table in spread):
            found.append(f"{called} with computed names")
    if called == "Series" and not all(map(has_written_keys, (a for a in node.args if isinstance(a, ast.Dict)))):
        found.append("Series with computed names")
    is_pythons = isinstance(node.func, ast.Attribute) or names.source.get(root_name(node.func)) == "inspect.signature"
    if called == "signature" and is_pythons and (len(node.args) != 1 or words):
        # It may be asked to evaluate texts.
        found.append("signature with options")
    if called == "add_to_class" and not all(_is_own_class(argument, names) for argument in node.args[:1]):
        found.append("add_to_class for another class than one's own")
    if _is_over_memory(node, called, names):
        found.append("an array over memory of something else")
    if called == "Function" and None in words:
        found.append("a class with computed names")
    if "usemask" in words:
        # A masked array agrees with everything.
        found.append("a masked array")
    if called == "enter_context" and isinstance(node.func, ast.Attribute) and _last(node.func) not in names.entered:
        found.append("enter_context without with")
    return found


def _is_over_memory(node: ast.Call, called: str | None, names: Bindings) -> bool:
    """Whether a call may make an array in memory that is not its own, or leave one there."""
    words = {keyword.arg for keyword in node.keywords}
    if words & {"buffer", "buf", "refcheck"} or (called == "resize" and None in words):
        return True
    if called in ("partial", "map", "starmap"):
        return any(_called(argument, names) in _ARRAYS for argument in node.args)
    if (called not in _ARRAYS and not names.is_kind(node.func)) or _is_own_kind(node.func):
        return False
    starred = any(isinstance(argument, ast.Starred) for argument in node.args) or None in words
    return starred or len(node.args) + len(node.keywords) > 2


def _is_own_kind(function: ast.expr) -> bool:
    """Whether this is the class of a method's own object, which makes another one."""
    if isinstance(function, ast.Call):
        return len(function.args) == 1 and isinstance(function.args[0], ast.Name) and function.args[0].id == "self"
    return isinstance(function, ast.Attribute) and root_name(function) == "self"


def _formats_by_texts(table: ast.expr, names: Bindings) -> bool:
    """Whether all functions in a table are the `format` of a text, or do no more than that."""
    values = table.values if isinstance(table, ast.Dict) and None not in table.keys else [None]
    return all(
        (isinstance(v, ast.Attribute) and v.attr == "format" and is_text(v.value, names)) or _only_formats(v)
        for v in values
    )


def _only_formats(node: ast.expr | None) -> bool:
    """Whether this is a function of one number that writes it down: `lambda x: "%.3f" % x`."""
    if not isinstance(node, ast.Lambda) or len(node.args.args) != 1 or ast.unparse(node.args) != node.args.args[0].arg:
        return False
    body, own = node.body, node.args.args[0].arg
    if isinstance(body, ast.BinOp) and isinstance(body.op, ast.Mod) and isinstance(body.left, ast.Constant):
        parts, texts = [body.right], [body.left]
    elif isinstance(body, ast.JoinedStr):
        fields = [part for part in body.values if isinstance(part, ast.FormattedValue)]
        parts, texts = (
            [field.value for field in fields],
            [inner for field in fields if field.format_spec is not None for inner in field.format_spec.values],
        )
    elif isinstance(body, ast.Call) and isinstance(body.func, ast.Attribute) and body.func.attr == "format":
        parts, texts = [*body.args, *(keyword.value for keyword in body.keywords)], [body.func.value]
    else:
        return False
    written = all(isinstance(text, ast.Constant) and isinstance(text.value, str) for text in texts)
    return written and all(isinstance(part, ast.Name) and part.id == own for part in parts)


def _is_own_class(node: ast.expr, names: Bindings) -> bool:
    """Whether this is a class of the same text, or of the book, whose classes grow so."""
    if isinstance(node, ast.Attribute):
        source = names.source.get(last_name(node.value) or "", "")
        return isinstance(node.value, ast.Name) and source.partition(".")[0] == "d2l"
    own = isinstance(node, ast.Name) and node.id not in names.computed | names.local
    return own and (node.id in names.classes or names.source.get(node.id, "").startswith("d2l."))


def _is_own(node: ast.Call, names: Bindings) -> bool:
    """Whether the one argument of a call is a function or class of the same text."""
    own = (names.functions | names.classes) - names.computed - names.local - names.imported
    return len(node.args) == 1 and not node.keywords and isinstance(node.args[0], ast.Name) and node.args[0].id in own


def has_written_keys(table: ast.expr) -> bool:
    """Whether a table has no key that may turn out to be an attribute with a meaning."""
    if isinstance(table, ast.Call) and isinstance(table.func, ast.Name) and table.func.id == "dict" and not table.args:
        return all(keyword.arg is not None for keyword in table.keywords)
    return isinstance(table, ast.Dict) and all(map(is_ordinary, table.keys))


def is_ordinary(key: ast.expr | None) -> bool:
    """Whether the beginning of a key tells that it has no underscores in front."""
    if isinstance(key, ast.JoinedStr):
        return bool(key.values) and is_ordinary(key.values[0])
    if isinstance(key, ast.BinOp) and isinstance(key.op, ast.Mod):
        # "fc%d" % i
        return is_ordinary(key.left) and isinstance(key.left, ast.Constant) and not str(key.left.value).startswith("%")
    if isinstance(key, ast.BinOp):
        return is_ordinary(key.left) and isinstance(key.op, ast.Add)
    if isinstance(key, ast.Call) and isinstance(key.func, ast.Attribute) and key.func.attr == "format":
        text = key.func.value
        return is_ordinary(text) and isinstance(text, ast.Constant) and not str(text.value).startswith("{")
    return isinstance(key, ast.Constant) and not str(key.value).startswith("_") and key.value != ""


def _last(function: ast.Attribute) -> str | None:
    return last_name(function.value)


def classes_made(node: ast.Call, names: Bindings, in_function: bool) -> list[str]:
    """Return what is strange about a call that makes a class, whose methods nobody could read."""
    name = node.func.id if isinstance(node.func, ast.Name) else None
    found = []
    starred = any(isinstance(a, ast.Starred) for a in node.args) or any(k.arg is None for k in node.keywords)
    if isinstance(node.func, ast.Attribute) and node.func.attr == "type" and (len(node.args) > 2 or starred):
        found.append("type with three arguments")
    if name == "type" and (len(node.args) != 1 or starred or node.keywords):
        found.append("type with three arguments")
    if name == "type" and node.args and names.is_kind(node.args[0]):
        found.append("the class of a class")
    if names.is_kind(node.func) and name != "type" and any(map(_is_space, [*node.args, *node.keywords])):
        found.append("a class of a class with three arguments")
    if isinstance(node.func, ast.Name | ast.Attribute) and len(node.args) + len(node.keywords) > 1:
        made = names.base(node.func, in_function)
        if made in names.enums and not all(is_written_out(item, names) for item in [*node.args, *node.keywords]):
            # Enum("Name", {...}) makes a class out of any names.
            found.append("an enumeration with computed names")
    return found


def _is_space(node: ast.expr | ast.keyword) -> bool:
    """Whether an argument may be what a class consists of."""
    if isinstance(node, ast.keyword):
        return node.arg is None
    made = last_name(node.func) if isinstance(node, ast.Call) else None
    return isinstance(node, ast.Dict | ast.Starred) or made == "dict"


def is_written_out(node: ast.expr | ast.keyword, names: Bindings) -> bool:
    """Whether names and their values stand in the text."""
    if isinstance(node, ast.keyword):
        return node.arg in ("start", "module", "qualname", "boundary") or (
            node.arg is not None and is_written_out(node.value, names)
        )
    if isinstance(node, ast.Dict):
        return all(isinstance(key, ast.Constant) for key in node.keys)
    if isinstance(node, ast.List | ast.Tuple):
        return all(is_written_out(item, names) for item in node.elts)
    return isinstance(node, ast.Constant) or is_text(node, names)


def stores_through(node: ast.Call, names: Bindings) -> list[str]:
    """Return what a function of the learner's own is passed of a library, to set attributes of it."""
    found = []
    computed = isinstance(node.func, ast.Subscript | ast.Call)
    if isinstance(node.func, ast.Name):
        computed = node.func.id in names.computed | names.local
        computed = computed and node.func.id not in names.functions | names.classes | names.imported
    if computed and not names.storing.keys().isdisjoint(names.functions):
        # Nobody can tell which function this is.
        of_library = [source for a in node.args for source in sources(a) if root_name(source) in names.imported]
        kinds = [dotted(source) for source in of_library if (last_name(source) or "")[:1].isupper()]
        found += [f"a computed function that is passed {kind}" for kind in kinds]
    for function in names.storing.get(last_name(node.func) or "", ()):
        of_class = isinstance(node.func, ast.Attribute) and last_name(node.func.value) in names.classes
        if "self" in function.stored and (of_class or isinstance(node.func, ast.Name)) and _is_called_on_another(node):
            # As an object's own method it may set what it likes.
            found.append("a method that sets attributes of something else")
        for argument, parameter in arguments(node, function):
            if parameter is None or parameter in function.stored:
                given = [source for source in sources(argument) if root_name(source) in names.imported]
                found += [f"a function that sets attributes of {dotted(source)}" for source in given]
    return found


def _is_called_on_another(node: ast.Call) -> bool:
    return bool(node.args) and not (isinstance(node.args[0], ast.Name) and node.args[0].id == "self")


def is_text(node: ast.expr, names: Bindings) -> bool:
    """Whether an expression is a text written out."""
    if isinstance(node, ast.IfExp):
        return is_text(node.body, names) and is_text(node.orelse, names)
    written = isinstance(node, ast.Constant) or folded(node) is not None
    return written or (isinstance(node, ast.Name) and node.id in names.texts)


def styles(function: ast.Attribute, names: Bindings) -> bool:
    """Whether a `format` takes the texts that it is passed: `table.style.format` and what stands behind it."""
    styled = any(isinstance(inner, ast.Attribute) and inner.attr == "style" for inner in spine(function.value))
    return styled and not is_text(function.value, names)


def _formats(node: ast.Call, names: Bindings) -> list[ast.expr]:
    """Return the arguments in which `{0.name}` would read an attribute."""
    called = _called(node.func, names)
    words = {keyword.arg: keyword.value for keyword in node.keywords}
    starred = None in words or any(isinstance(argument, ast.Starred) for argument in node.args)
    texts = [value for word, value in words.items() if word in suspicious.FORMATS]
    if isinstance(node.func, ast.Attribute) and called in ("format", "format_index") and styles(node.func, names):
        texts += [*node.args[:1], *(value for word, value in words.items() if word is None)]
    elif called == "StrMethodFormatter":
        texts += [*node.args, *words.values()]
    elif called == "StrFormatStyle":
        texts += node.args
    elif called in ("Formatter", "basicConfig"):
        style = words.get("style", node.args[2] if len(node.args) > 2 else None)
        given = style is not None and not (isinstance(style, ast.Constant) and style.value in ("%", "$"))
        if given or starred:
            texts += [*node.args[:1], *(value for word, value in words.items() if word in ("fmt", "format", None))]
    elif called in ("set_option", "option_context"):
        named = any(isinstance(a, ast.Constant) and "formatter" in str(a.value) for a in node.args)
        texts += node.args if named else ()
    return texts


def _called(function: ast.expr, names: Bindings) -> str | None:
    """Return the first name of a function, whatever it was bound to since."""
    name = last_name(function)
    return names.origin.get(name, name) if isinstance(function, ast.Name) else name


def _is_plain_format(node: ast.expr, names: Bindings) -> bool:
    """Whether this is a text written out, a function, or a table of these."""
    if isinstance(node, ast.Dict):
        return None not in node.keys and all(_is_plain_format(value, names) for value in node.values)
    if isinstance(node, ast.DictComp):
        return _is_plain_format(node.value, names)
    if isinstance(node, ast.Name) and node.id not in names.local | names.computed:
        return node.id in names.texts | names.functions | {"str"}
    is_method = isinstance(node, ast.Attribute) and node.attr == "format"
    return isinstance(node, ast.Constant | ast.Lambda) or is_method
