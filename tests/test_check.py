"""What `dlcourse.check` lets pass, what it refuses, and what a learner then reads."""

import collections
import itertools
import math
import warnings

import numpy as np
import pandas as pd
import pytest
import torch

from dlcourse import check

T = torch.tensor


def message(function, *args, **kwargs) -> str:
    """The text of the CheckError that the call must raise; any other outcome fails the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a warning in a test cell costs the learner the cell
        with pytest.raises(check.CheckError) as caught:
            function(*args, **kwargs)
    text = str(caught.value)
    assert len(text) < 2500
    assert caught.value.__context__ is None and caught.value.__cause__ is None
    return text


def refused(actual, expected, *parts, **options) -> None:
    text = message(check.value, actual, expected, "f(x)", **options)
    assert text.startswith("f(x)") or text.startswith("the ")
    for part in parts:
        assert part in text


def accepted(actual, expected, **options) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check.value(actual, expected, "f(x)", **options)


def learner(source: str, **names):
    """The function `f` of a notebook cell with the given source, with a file name of its own."""
    import linecache

    file = f"/tmp/ipykernel_1/{abs(hash(source))}.py"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    scope = {"torch": torch, "np": np, **names}
    exec(compile(source, file, "exec"), scope)
    return scope["f"]


# ---------------------------------------------------------------- hostile results


class AlwaysEqual:
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    def __hash__(self):
        return hash("a")


class Hostile:
    def _no(self, *args, **kwargs):
        raise RuntimeError("hostile")

    __eq__ = __ne__ = __len__ = __iter__ = __repr__ = __str__ = __bool__ = __getattr__ = __array__ = __float__ = _no
    __hash__ = __getitem__ = __format__ = __index__ = __int__ = __torch_function__ = _no
    __class__ = property(_no)


class Quits:
    def __repr__(self):
        raise SystemExit(0)

    __str__ = __repr__

    def __eq__(self, other):
        raise SystemExit(0)

    __hash__ = None


class Poser:
    """Claims to be a tensor, a float, whatever is asked."""

    def __init__(self, kind):
        self.kind = kind

    __class__ = property(lambda self: self.kind)

    def __getattr__(self, name):
        return lambda *args, **kwargs: True


class AgreeableMeta(type):
    def __eq__(cls, other):
        return True

    def __hash__(cls):
        return hash(float)

    def __instancecheck__(cls, instance):
        return True


class Agreeable(metaclass=AgreeableMeta):
    __module__ = 7

    def __eq__(self, other):
        return True

    def __float__(self):
        return 1.0

    __hash__ = None


def always_equal(base):
    return type("Sly", (base,), {"__eq__": lambda a, b: True, "__ne__": lambda a, b: False, "__hash__": base.__hash__})


class SlyTensor(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return True


class SlyArray(np.ndarray):
    def __array_ufunc__(self, *args, **kwargs):
        return True

    def __array_function__(self, *args, **kwargs):
        return True

    def __eq__(self, other):
        return True


def object_array(*entries):
    a = np.empty(len(entries), dtype=object)
    for i, entry in enumerate(entries):
        a[i] = entry
    return a


def loop_list():
    a, b = [], []
    a.append(b)
    b.append(a)
    return a


def detach_lies():
    a = T([9.0, 9.0])
    a.detach = lambda: T([1.0, 2.0])
    return a


class DynamicSeries:
    """A series whose methods were overruled on the object."""

    def __new__(cls):
        s = pd.Series([9.0, 9.0])
        good = pd.Series([1.0, 2.0])
        for name in ("to_numpy", "isna", "astype", "equals"):
            object.__setattr__(s, name, getattr(good, name))
        return s


EXPECTED = {
    "tensor": T([1.0, 2.0]),
    "scalar tensor": T(1.0),
    "int tensor": T([1, 2]),
    "empty tensor": torch.zeros(0, 3),
    "sparse tensor": T([[1.0, 0.0]]).to_sparse(),
    "array": np.array([1.0, 2.0]),
    "object array": np.array(["a", None], dtype=object),
    "structured array": np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f4")]),
    "frame": pd.DataFrame({"a": [1.0, 2.0], "b": ["x", None]}),
    "series": pd.Series([1.0, 2.0]),
    "index": pd.Index(["a", "b"]),
    "float": 1.0,
    "nan": math.nan,
    "numpy float": np.float64(1.0),
    "int": 3,
    "bool": True,
    "string": "a",
    "none": None,
    "list": [1.0, T([2.0])],
    "tuple": (1, "a"),
    "dict": {"a": T([1.0])},
    "set": {"a", "b"},
    "complex": 1 + 2j,
    "NA": pd.NA,
    "dtype": torch.float32,
}

HOSTILE = {
    "always equal": AlwaysEqual,
    "raises in everything": Hostile,
    "quits in everything": Quits,
    "poses as tensor": lambda: Poser(torch.Tensor),
    "poses as float": lambda: Poser(float),
    "poses as list": lambda: Poser(list),
    "poses as frame": lambda: Poser(pd.DataFrame),
    "metaclass agrees": Agreeable,
    "class that agrees": lambda: Agreeable,
    "float subclass": lambda: always_equal(float)(7),
    "int subclass": lambda: always_equal(int)(7),
    "str subclass": lambda: always_equal(str)("zz"),
    "list subclass": lambda: always_equal(list)([1.0]),
    "tuple subclass": lambda: always_equal(tuple)([1, "a"]),
    "dict subclass": lambda: always_equal(dict)(a=T([1.0])),
    "set subclass": lambda: always_equal(set)({"a", "b"}),
    "tensor subclass": lambda: T([1.0, 2.0]).as_subclass(SlyTensor),
    "array subclass": lambda: np.array([1.0, 2.0]).view(SlyArray),
    "frame subclass": lambda: always_equal(pd.DataFrame)({"a": [1.0, 2.0], "b": ["x", None]}),
    "series subclass": lambda: always_equal(pd.Series)([1.0, 2.0]),
    "series overruled": DynamicSeries,
    "tensor overruled": detach_lies,
    "list of always equal": lambda: [AlwaysEqual(), AlwaysEqual()],
    "tuple of always equal": lambda: (AlwaysEqual(), AlwaysEqual()),
    "list of hostile": lambda: [Hostile(), Quits()],
    "dict of always equal": lambda: {"a": AlwaysEqual()},
    "dict with a sly key": lambda: {AlwaysEqual(): T([1.0])},
    "set of sly keys": lambda: {AlwaysEqual(), "b"},
    "object array of always equal": lambda: object_array(AlwaysEqual(), AlwaysEqual()),
    "object array of hostile": lambda: object_array(Hostile(), None),
    "frame of always equal": lambda: pd.DataFrame({"a": [1.0, 2.0], "b": [AlwaysEqual()] * 2}),
    "series of always equal": lambda: pd.Series([AlwaysEqual()] * 2),
    "index of always equal": lambda: pd.Index([AlwaysEqual(), AlwaysEqual()]),
    "columns always equal": lambda: pd.DataFrame([[1.0, "x"], [2.0, None]], columns=[AlwaysEqual(), "b"]),
    "list in a loop": loop_list,
    "generator": lambda: (i for i in [1.0, 2.0]),
    "function": lambda: len,
    "method": lambda: T([1.0]).sum,
    "ellipsis": lambda: ...,
    "not implemented": lambda: NotImplemented,
    "exception": lambda: ValueError("x"),
    "meta tensor": lambda: torch.zeros(2, device="meta"),
    "meta scalar": lambda: torch.zeros((), device="meta"),
    "sparse": lambda: T([1.0, 0.0]).to_sparse(),
    "sparse csr": lambda: torch.eye(2).to_sparse_csc(),
    "nested": lambda: torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)]),
    "quantised": lambda: torch.zeros(2, dtype=torch.float32).to(torch.float8_e4m3fn),
    "complex": lambda: T([1 + 0j, 2 + 0j]),
    "conjugate view": lambda: T([1 + 1j, 2 + 0j]).conj(),
    "lazy parameter": torch.nn.UninitializedParameter,
    "huge expanded": lambda: torch.zeros(1).expand(10**6, 10**6),
    "huge list": lambda: list(range(1_000_000)),
    "huge string": lambda: "a" * 10_000_000,
    "huge int": lambda: 10**6000,
    "huge name": lambda: type("N" * 100_000, (), {})(),
    "masked array": lambda: np.ma.array([1.0, 2.0]),
    "matrix": lambda: np.matrix([[1.0, 2.0]]),
    "structured": lambda: np.zeros(2, dtype=[("a", "f8"), ("b", "O")]),
    "dates": lambda: np.array(["2020-01-01", "NaT"], dtype="datetime64[D]"),
    "strings": lambda: np.array(["a", "b"]),
    "NA series": lambda: pd.Series([pd.NA, 1.0], dtype=object),
    "NaT": lambda: pd.NaT,
    "module": lambda: torch.nn.Linear(1, 1),
    "numpy bool": lambda: np.False_,
    "timedelta": lambda: np.timedelta64(3, "D"),
    "inf": lambda: math.inf,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_results_are_refused_whatever_was_expected(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # making some of them warns: the learner's doing
        result = HOSTILE[kind]()
    for expected in EXPECTED.values():
        text = message(check.value, result, expected, "f(x)")
        assert text.startswith(("f(x)", "the "))
        if kind in ("metaclass agrees", "always equal", "raises in everything"):
            assert "wrong type" in text  # its class gave it away, without asking it anything
    assert message(check.tensor, result, "f(x)", shape=(7,), dtype=torch.float16).startswith("f(x)")


def test_every_expected_value_accepts_itself_and_no_other():
    for (a, one), (b, other) in itertools.product(EXPECTED.items(), repeat=2):
        if a == b or {a, b} == {"float", "numpy float"}:
            accepted(one, other)
        else:
            assert message(check.value, one, other, "f(x)")


def test_what_counts_as_the_type():
    accepted(torch.nn.Parameter(T([1.0])), T([1.0]))
    accepted(np.float64(1.5), 1.5)
    accepted(1.5, np.float64(1.5))
    accepted(3, np.int64(3))
    accepted(True, np.True_)
    accepted(torch.zeros(2, 3).shape, (2, 3))
    accepted(torch.max(T([[1.0, 2.0]]), dim=1), (T([2.0]), T([1])))
    accepted(collections.Counter("aab"), {"b": 1, "a": 2})
    accepted(collections.OrderedDict(b=1, a=2), {"a": 2, "b": 1})
    refused({"a": 1}, collections.Counter("a"), "expected: collections.Counter", "actual:   dict")
    refused(1, np.True_, "expected: numpy.bool", "actual:   int")
    refused(3, np.timedelta64(3, "D"), "numpy.timedelta64")


def test_a_function_mode_left_on_does_not_answer():
    class Yes(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, function, kinds, args=(), kwargs=None):
            return True

    zeros, ones = torch.zeros(2), torch.ones(2)
    with Yes():
        text = message(check.value, zeros, ones, "f(x)")
    assert "expected: 1\n    actual:   0" in text


# ---------------------------------------------------------------- types and dtypes


@pytest.mark.parametrize(
    "actual, expected, parts",
    [
        (np.zeros(2, np.float32), torch.zeros(2), ["expected: torch.Tensor", "actual:   numpy.ndarray", "from_numpy"]),
        (torch.zeros(2), np.zeros(2, np.float32), ["expected: numpy.ndarray", "actual:   torch.Tensor", ".numpy()"]),
        (1.0, T(1.0), ["actual:   float", "left the autograd graph"]),
        ([T(1.0)], T([1.0]), ["actual:   list", "torch.stack"]),
        (None, T(1.0), ["actual:   None", "without a `return` line gives None"]),
        (None, 1.0, ["actual:   None", "`return`"]),
        (1, None, ["expected: None", "actual:   int"]),
        (1, 1.0, ["expected: float", "actual:   int", "float(x) converts"]),
        (1.0, 1, ["expected: int", "actual:   float"]),
        (True, 1, ["expected: int", "actual:   bool"]),
        (1, True, ["expected: bool", "actual:   int"]),
        (T(1.0), 1.0, ["actual:   torch.Tensor", "x.item()"]),
        (np.float32(1), 1.0, ["actual:   numpy.float32", "float(x)"]),
        ([1, 2], (1, 2), ["expected: tuple", "round brackets"]),
        ((1, 2), [1, 2], ["expected: list", "square brackets"]),
        ((i for i in [1]), [1], ["list(...) around it"]),
        (T([1.0]).sum, T(1.0), ["a function", "brackets ()"]),
        (pd.Series([1]), pd.DataFrame({"a": [1]}), ["expected: pandas.DataFrame", "double brackets"]),
        (always_equal(float)(1), 1.0, ["expected: float", ".Sly", "this is a subclass of float"]),
    ],
)
def test_wrong_type(actual, expected, parts):
    refused(actual, expected, "f(x): wrong type", *parts)


@pytest.mark.parametrize(
    "actual, expected, parts",
    [
        (T([1.0]).double(), T([1.0]), ["expected: torch.float32", "actual:   torch.float64", "NumPy and pandas"]),
        (T([1]), T([1.0]), ["actual:   torch.int64", "write 1.0 for 1", ".float()"]),
        (T([1.0]), T([1]), ["expected: torch.int64", ".to(torch.int64)"]),
        (T([1]), T([True]), ["expected: torch.bool", "a comparison"]),
        (T([1 + 0j]), T([1.0]), ["actual:   torch.complex64"]),
        (np.zeros(1), np.zeros(1, np.float32), ["expected: float32", "actual:   float64", ".astype('float32')"]),
        (np.zeros(1, int), np.zeros(1), ["expected: float64", "actual:   int64", ".astype('float64')"]),
    ],
)
def test_wrong_dtype(actual, expected, parts):
    refused(actual, expected, "f(x): wrong dtype", *parts)


def test_an_own_hint_replaces_the_guessed_one():
    for actual in (None, T([1]), T([[1.0]]), T([math.nan]), T([-1.0])):
        text = message(check.value, actual, T([1.0]), "f(x)", hint="look at equation 3")
        assert text.count("hint:") == 1 and text.endswith("hint:     look at equation 3")


# ---------------------------------------------------------------- shapes


@pytest.mark.parametrize(
    "actual, expected, part",
    [
        ((4, 4), (4, 1), "broadcasting combined every row with every other"),
        ((4, 4), (4,), "broadcasting combined every row with every other"),
        ((2, 3), (3, 2), "the axes are swapped"),
        ((2, 5, 5, 3), (2, 3, 5, 5), "another order: .permute"),
        ((3,), (3, 1), "an axis of length 1 is missing"),
        ((3,), (1, 3), "an axis of length 1 is missing"),
        ((1, 3), (3,), "an axis of length 1 too many"),
        ((1,), (), "an axis of length 1 too many"),
        ((), (3,), "was it summed or averaged"),
        ((3,), (), "the sum or mean over all entries is missing"),
        ((0,), (0, 4), None),
        ((0, 4), (4, 0), "the axes are swapped"),
    ],
)
@pytest.mark.parametrize("make", [torch.zeros, np.zeros])
def test_wrong_shape(actual, expected, part, make):
    refused(make(actual), make(expected), "wrong shape", f"expected: shape {expected}", f"actual:   shape {actual}")
    text = message(check.value, make(actual), make(expected), "f(x)")
    assert part in text if part else "hint" not in text


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1,), (2, 3)])
def test_same_shape_passes(shape):
    accepted(torch.ones(shape), torch.ones(shape))
    accepted(torch.ones(shape[::-1]).permute(tuple(range(len(shape)))[::-1]), torch.ones(shape))  # not contiguous
    accepted(torch.ones(shape, requires_grad=True) * 1, torch.ones(shape))
    accepted(np.ones(shape), np.ones(shape))


# ---------------------------------------------------------------- numbers


TOLERANCES = {
    torch.float16: (1e-2, 1e-3),
    torch.bfloat16: (5e-2, 1e-2),
    torch.float32: (1e-4, 1e-5),
    torch.float64: (1e-7, 1e-9),
    torch.complex64: (1e-4, 1e-5),
    torch.complex128: (1e-7, 1e-9),
}


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("scale", [2.0**-8, 1.0, 2.0**12])
def test_tolerance_boundary_is_where_the_dtype_puts_it_at_every_scale(dtype, scale):
    rtol, atol = TOLERANCES[dtype]
    expected = T([1.0, -0.5, 0.0], dtype=dtype) * scale
    allowed = (rtol * expected.abs().double() + atol * scale).to(torch.float64)
    wide = torch.complex128 if dtype.is_complex else torch.float64
    for i, sign in itertools.product(range(3), (1, -1)):
        step = torch.zeros(3, dtype=wide)
        step[i] = sign * allowed[i]
        # One step of the dtype is up to 1/3 of the tolerance here, hence 0.6 and 1.4.
        accepted((expected.to(wide) + 0.6 * step).to(dtype), expected)
        refused((expected.to(wide) + 1.4 * step).to(dtype), expected, f"at index [{i}]", "1 of 3 entries differ")


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.complex64])
def test_arrays_have_the_tolerance_of_tensors(dtype):
    rtol, atol = TOLERANCES[getattr(torch, np.dtype(dtype).name)]
    expected = np.array([1.0, -0.5], dtype)
    accepted((expected * (1 + 0.7 * rtol)).astype(dtype), expected)
    refused((expected * (1 + 1.6 * (rtol + 2 * atol))).astype(dtype), expected, "2 of 2 entries differ")


def test_python_float_tolerance():
    accepted(1.0 + 1.0e-4, 1.0)
    refused(1.0 + 1.1e-4, 1.0, "f(x): wrong value\n", "off by 0.00011")
    accepted(1e6 * (1 + 1e-4), 1e6)
    accepted(0.9e-6, 0.0)
    refused(1.1e-6, 0.0)
    refused(1 + 2e-4 + 0j, 1 + 0j)
    accepted(1 + 1e-4 + 0j, 1 + 0j)


def test_explicit_tolerances():
    accepted(T([1.09]), T([1.0]), rtol=0.1)
    refused(T([1.11]), T([1.0]), rtol=0.1)
    accepted(T([0.0, 5.1]), T([0.0, 5.0]), atol=0.2, rtol=0)
    refused(T([0.3, 5.0]), T([0.0, 5.0]), "at index [0]", atol=0.2, rtol=0)
    accepted(T([10]), T([9]), atol=1)
    refused(T([11]), T([9]), atol=1)
    accepted(10, 9, atol=1)
    refused(11, 9, atol=1)
    refused(T([True]), T([False]), atol=5)
    accepted([T([1.05]), 2.1], [T([1.0]), 2.0], rtol=0.1)
    accepted(pd.Series([1.05]), pd.Series([1.0]), rtol=0.1)
    refused(1.0 + 1e-12, 1.0, "expected: 1.0\n", "actual:   1.000000000001", rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int8, torch.int32, torch.int64])
def test_exact_dtypes(dtype):
    expected = T([[0, 1], [1, 1]]).to(dtype)
    accepted(expected.clone(), expected)
    other = T([[0, 1], [1, 0]]).to(dtype)
    refused(other, expected, "at index [1, 1] (1 of 4 entries differ)")
    # Far beyond what a float64 can tell apart.
    if dtype is torch.int64:
        refused(T([2**60 + 1]), T([2**60]), f"expected: {2**60}\n", f"actual:   {2**60 + 1}")


def test_message_names_first_entry_and_count():
    actual, expected = torch.zeros(2, 3), torch.zeros(2, 3)
    actual[0, 2], actual[1, 0] = 0.25, 7
    text = message(check.value, actual, expected, "linreg(X, w, b)")
    assert text == (
        "linreg(X, w, b): wrong value at index [0, 2] (2 of 6 entries differ)\n    expected: 0\n    actual:   0.25"
    )


def test_nan_and_inf():
    refused(T([1.0, math.nan]), T([1.0, 2.0]), ": NaN", "1 of 2 entries are NaN, the first at index [1]")
    refused(math.nan, 1.0, ": NaN", "actual:   NaN")
    refused(np.array(math.nan), np.array(1.0), "actual:   NaN")
    refused(T([1.0, math.inf]), T([1.0, 2.0]), "expected: 2", "actual:   inf")
    refused(T([1.0, 2.0]), T([1.0, math.inf]), "expected: inf")
    refused(T([math.inf]), T([-math.inf]), "expected: -inf", "actual:   inf")
    accepted(T([1.0, math.inf, -math.inf]), T([1.0, math.inf, -math.inf]))
    refused(T([1.1, math.inf]), T([1.0, math.inf]), "at index [0]")
    refused(T([1e30, math.inf]), T([1.0, math.inf]), "at index [0]")
    accepted(T([math.nan, 1.0]), T([math.nan, 1.00001]))
    refused(T([1.0, math.nan]), T([math.nan, 1.0]), "expected: nan")
    accepted(math.nan, math.nan)
    refused(T([math.nan]), T([1.0]), ": NaN", rtol=math.inf)
    refused(T([3e38]), T([-3e38]), "sign")
    refused(1.7e308, -1.7e308, "sign")


def test_requires_grad():
    graph = T([1.0], requires_grad=True) * 1
    accepted(graph, T([1.0]), requires_grad=True)
    accepted(graph.detach(), T([1.0]), requires_grad=False)
    refused(graph.detach(), T([1.0]), ": no gradient is carried", "torch.no_grad()", requires_grad=True)
    refused(graph, T([1.0]), "f(x): a gradient is carried and should not be", ".detach()", requires_grad=False)
    refused([graph.detach()], [T([1.0])], "f(x)[0]: no gradient is carried", requires_grad=True)


BASE = np.array([[1.0, 2.0, 4.0], [-3.0, 5.0, 9.0], [0.0, 8.0, -7.0]])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int64])
@pytest.mark.parametrize(
    "change, part",
    [
        (lambda a: 3 * a, "the result is 3 times what was expected"),
        (lambda a: -a, "the sign is wrong"),
        (lambda a: a + 2, "every entry is off by the same 2"),
        (lambda a: a - 2, "every entry is off by the same -2"),
        (lambda a: a.flip(0), "the numbers are right but in another order"),
        (lambda a: a.T, "a transpose (.T) is missing"),
        (lambda a: a * a, None),
        (torch.zeros_like, None),
    ],
)
def test_value_hints(dtype, change, part):
    for scale in (1,) if dtype is torch.int64 else (1, 1e-9, 1e9):
        expected = T(BASE).to(dtype) * scale
        text = message(check.value, change(T(BASE).to(dtype)) * scale, expected, "f(x)")
        if part is None:
            assert "hint" not in text
        else:
            assert (part if scale == 1 else part.rpartition(" ")[0]) in text


def test_value_hints_for_single_numbers_and_bools():
    refused(0.5, 2.0, "0.25 times")
    assert "hint" not in message(check.value, 0.37, 2.0, "f(x)")
    assert "hint" not in message(check.value, T([1]), T([2]), "f(x)")
    refused(-2.0, 2.0, "the sign is wrong")
    refused(T([True, False]), T([False, True]), "every True should be False")
    assert "hint" not in message(check.value, T([True, True]), T([False, True]), "f(x)")
    # A factor that holds for most entries but not all is none.
    assert "hint" not in message(check.value, T([2.0, 4.0, 1.0]), T([1.0, 2.0, 0.0]), "f(x)")


# ---------------------------------------------------------------- containers


@pytest.mark.parametrize(
    "actual, expected, parts",
    [
        ([1, [2, (3, 5)]], [1, [2, (3, 4)]], ["f(x)[1][1][1]: wrong value", "expected: 4", "actual:   5"]),
        ({"a": {"b": [T([1.0])]}}, {"a": {"b": [T([2.0])]}}, ["f(x)['a']['b'][0]: wrong value at index [0]"]),
        ([1], [1, 2], ["wrong length", "expected: 2 items", "actual:   1 item"]),
        ([], [None], ["wrong length", "0 items"]),
        ({"a": 1}, {"a": 1, "b": 2}, ["wrong keys", "without ['b']"]),
        ({"a": 1, "c": 2}, {"a": 1, "b": 2}, ["without ['b'] and with the extra ['c']"]),
        ({1: 0}, {True: 0}, ["wrong keys"]),
        ({("a", 1): 0}, {("a", True): 0}, ["wrong keys"]),
        ({frozenset({1}): 0}, {frozenset({True}): 0}, ["wrong keys"]),
        ({1, 2}, {1, 3}, ["wrong elements", "without [3] and with the extra [2]"]),
        ("Abc", "abc", ["f(x): wrong value", "expected: 'abc'", "capital and small"]),
        ("abc\n", "abc", ["spaces or line ends"]),
        ("x" * 500 + "a", "x" * 500 + "b", ["the first difference is at position 500"]),
        (torch.float64, torch.float32, ["expected: torch.float32"]),
    ],
)
def test_containers_and_plain_values(actual, expected, parts):
    refused(actual, expected, *parts)


def test_arrays_of_objects_and_fields():
    one = np.array([[1.0, "a"], [None, [1, 2]]], dtype=object)
    accepted(one.copy(), one)
    other = one.copy()
    other[1, 1] = [1, 3]
    refused(other, one, "f(x) at index [1, 1][1]: wrong value")
    kind = [("a", "i4"), ("b", "f4", (2,))]
    two = np.array([(1, (2, 3)), (4, (5, 6))], dtype=kind)
    accepted(two.copy(), two)
    wrong = two.copy()
    wrong["b"][1, 0] = 9
    refused(wrong, two, "f(x)['b']: wrong value at index [1, 0]")
    accepted(np.array(["a", "b"], "<U9"), np.array(["a", "b"]))
    refused(np.array(["a", "bcd"]), np.array(["a", "b"]), "expected: 'b'", "actual:   'bcd'")
    dates = np.array(["2020-01-01", "NaT"], "datetime64[ns]")
    accepted(dates.copy(), dates)
    refused(dates + np.timedelta64(1, "D"), dates, "expected: 2020-01-01", "actual:   2020-01-02")


def test_sparse_and_conjugate_tensors_compare_by_value():
    dense = T([[0.0, 2.0], [0.0, 0.0]])
    accepted(dense.to_sparse(), dense.to_sparse())
    refused(dense.to_sparse() * 2, dense.to_sparse(), "at index [0, 1]")
    refused(dense.to_sparse(), dense, "wrong memory layout", "to_dense()")
    z = T([1 + 2j])
    accepted(z.conj(), T([1 - 2j]))
    refused(z, T([1 - 2j]), "expected: 1-2j", "actual:   1+2j")
    refused(torch.zeros(2, device="meta"), torch.zeros(2), "holds no numbers")


def test_large_values_make_short_messages():
    a = torch.zeros(300_000)
    refused(a + 1, a, "300000 of 300000 entries differ")
    refused(list(range(10_000)), [0] * 9_999, "10000 items")
    assert len(message(check.value, dict.fromkeys(range(10_000)), {"a": 1}, "f(x)")) < 600
    assert len(message(check.value, "y" * 10**6, "x" * 10**6, "f(x)")) < 900


# ---------------------------------------------------------------- pandas


def frame(**changes):
    columns = {
        "n": [1, 2, 3],
        "x": [0.5, np.nan, 2.0],
        "s": ["a", None, "c"],
        "c": pd.Categorical(["u", "v", "u"]),
        "d": pd.to_datetime(["2020-01-01", None, "2020-03-01"]),
        "i": pd.array([1, None, 3], dtype="Int64"),
        "b": [True, False, True],
    }
    return pd.DataFrame(columns | changes, index=[10, 20, 30])


def test_equal_frames_pass():
    accepted(frame(), frame())
    accepted(frame(x=[0.5 + 1e-9, np.nan, 2.0]), frame())
    accepted(frame().set_axis([10.0, 20.0, 30.0]), frame())
    accepted(frame().loc[[]], frame().loc[[]])
    accepted(frame(d=frame()["d"].astype("datetime64[s]")), frame(d=frame()["d"].astype("datetime64[ns]")))
    accepted(pd.Series([1.0], name="a"), pd.Series([1.0], name="b"))
    accepted(pd.Series(["a", None], dtype="object"), pd.Series(["a", np.nan], dtype="object"))
    accepted(pd.RangeIndex(3), pd.Index([0, 1, 2]))
    tuples = pd.MultiIndex.from_tuples([("a", 1), ("b", np.nan)])
    accepted(pd.Series([1, 2], index=tuples), pd.Series([1, 2], index=tuples.copy()))


@pytest.mark.parametrize(
    "actual, parts",
    [
        (frame()[["x", "n", "s", "c", "d", "i", "b"]], ["f(x): wrong columns", "another order"]),
        (frame().drop(columns="s"), ["wrong columns", "without ['s']"]),
        (frame().assign(z=1), ["wrong columns", "with the extra ['z']"]),
        (frame(n=[1.0, 2.0, 3.0]), ["f(x)['n']: wrong dtype", "expected: int64", "actual:   float64"]),
        (frame(n=[1, 9, 3]), ["f(x)['n']: wrong value at index [1]", "expected: 2", "actual:   9"]),
        (frame(x=[np.nan, 0.5, 2.0]), ["f(x)['x']: wrong value at index [0]", "expected: 0.5", "actual:   nan"]),
        (frame(x=[0.5, 0.0, 2.0]), ["f(x)['x']", "expected: nan", "actual:   0"]),
        (frame(x=[0.5, np.nan, 2.1]), ["f(x)['x']", "at index [2]"]),
        (frame(s=["a", None, "d"]), ["f(x)['s'] in row 2", "expected: 'c'", "actual:   'd'"]),
        (frame(s=["a", "b", "c"]), ["f(x)['s']", "row 1", "expected: a missing value", "actual:   'b'"]),
        (frame(s=["a", None, None]), ["f(x)['s']", "row 2", "actual:   a missing value"]),
        (frame(c=["u", "v", "u"]), ["f(x)['c']: wrong dtype", "expected: category"]),
        (frame(c=pd.Categorical(["u", "v", "u"], ["u", "v", "w"])), ["category of ['u', 'v', 'w'], ordered=False"]),
        (frame(c=pd.Categorical(["u", "u", "u"], ["u", "v"])), ["f(x)['c'] in row 1"]),
        (frame(d=pd.to_datetime(["2020-01-01", None, "2020-03-02"])), ["f(x)['d']", "at index [2]", "2020-03-02"]),
        (frame(d=["2020-01-01", None, "2020-03-01"]), ["f(x)['d']: wrong dtype", "expected: datetime64"]),
        (frame(i=[1, 2, 3]), ["f(x)['i']: wrong dtype", "expected: Int64", "actual:   int64"]),
        (frame(i=pd.array([1, 0, 3], dtype="Int64")), ["f(x)['i']", "row 1", "a missing value", "actual:   0"]),
        (frame(i=pd.array([1, None, 4], dtype="Int64")), ["f(x)['i'] in row 2", "expected: 3", "actual:   4"]),
        (frame(b=[True, True, True]), ["f(x)['b']", "expected: False", "actual:   True"]),
        (frame().iloc[:2], ["wrong shape", "expected: shape (3, 7)", "actual:   shape (2, 7)"]),
        (frame().reset_index(drop=True), ["the index of f(x): wrong label at row 0", "expected: 10", "actual:   0"]),
        (frame().iloc[::-1], ["the index of f(x): wrong label", "labels are right but in another order"]),
        (frame().set_axis(["10", "20", "30"]), ["the index of f(x)", "expected: 10", "actual:   '10'"]),
        (frame().to_dict(), ["expected: pandas.DataFrame", "actual:   dict"]),
        (frame()["n"], ["expected: pandas.DataFrame", "actual:   pandas.Series"]),
        (None, ["expected: pandas.DataFrame", "`return`"]),
    ],
)
def test_wrong_frames(actual, parts):
    refused(actual, frame(), *parts)


def test_string_columns_of_both_kinds():
    text = pd.Series(["a", None], dtype="str")
    accepted(text.copy(), text)
    accepted(pd.Series(["a", None]), pd.Series(["a", None]))
    refused(pd.Series(["a", None], dtype="string"), pd.Series(["a", None], dtype="object"), "wrong dtype")
    refused(pd.Series(["A", None], dtype="str"), text, "capital and small")


def test_float32_columns_have_the_float32_tolerance():
    one = pd.Series([1.0, 2.0], dtype="float32")
    accepted(one * np.float32(1.00008), one)
    refused(one * np.float32(1.0003), one, "f(x): wrong value")
    refused(one.astype("float64") * 1.00008, one.astype("float64"), "off by 8e-05")


def test_labels_far_apart_in_the_last_digit_only():
    big = pd.Series([1, 2], index=[10**15, 10**15 + 1])
    accepted(big.copy(), big)
    refused(big.set_axis([10**15, 10**15 + 2]), big, "the index of f(x)", "row 1")


# ---------------------------------------------------------------- tensor and that


def test_tensor_properties():
    a = torch.rand(3, 2)
    check.tensor(a, "a", shape=(3, None), dtype=torch.float32, low=0, high=1, requires_grad=False)
    check.tensor(torch.zeros(0), "a", low=1)
    check.tensor(T([math.inf, math.nan]), "a", finite=False)
    check.tensor(T([True]), "a", low=0)


@pytest.mark.parametrize(
    "actual, options, parts",
    [
        (np.zeros(2), {}, ["a: wrong type"]),
        (None, {}, ["a: wrong type", "`return`"]),
        (torch.zeros(3), {"shape": (None, 1)}, ["expected: shape (any, 1)", "actual:   shape (3,)"]),
        (torch.zeros(3), {"shape": (4,)}, ["expected: shape (4,)", "actual:   shape (3,)"]),
        (torch.zeros(3, 2), {"shape": (2, 3)}, ["axes are swapped"]),
        (torch.zeros(3), {"dtype": torch.int64}, ["expected: torch.int64"]),
        (torch.zeros(3), {"requires_grad": True}, [": no gradient is carried"]),
        (T([0.0, math.nan]), {}, ["a: NaN", "index [1]"]),
        (T(math.inf), {}, ["a: an infinite entry", "actual:   infinite"]),
        (T([0.0, -0.1]), {"low": 0}, ["outside the allowed range", "at least 0", "-0.1 at index [1]"]),
        (T([0.0, 1.1]), {"high": 1}, ["at most 1", "1.1 at index [1]"]),
        (T(5), {"high": 1}, ["actual:   5"]),
        (T([0.0, math.nan]), {"finite": False, "low": 0}, ["at least 0", "nan at index [1]"]),
        (T([1j]), {"low": 0}, ["expected: real numbers"]),
        (torch.zeros(2, device="meta"), {}, ["a holds no numbers"]),
        (torch.eye(2).to_sparse(), {}, ["wrong memory layout"]),
    ],
)
def test_tensor_refuses(actual, options, parts):
    text = message(check.tensor, actual, "a", **options)
    assert all(part in text for part in parts)


def test_that():
    check.that(True, "never shown")
    assert message(check.that, False, "the loss did not fall", hint="step()") == (
        "the loss did not fall\n    hint:     step()"
    )
    check.that(np.True_, "never shown")
    assert message(check.that, np.False_, "no") == "no"
    for condition in (1, T(True), AlwaysEqual(), None):
        with pytest.raises(TypeError, match="bool"):
            check.that(condition, "?")


# ---------------------------------------------------------------- call


def test_call_gives_the_result_and_passes_arguments():
    assert check.call(lambda a, *, b: (a, b), 1, b=2) == (1, 2)
    assert isinstance(check.call(torch.nn.Linear, 2, 1), torch.nn.Linear)
    assert check.call(list.append, [], 1, keeps_inputs=False) is None


@pytest.mark.parametrize(
    "body, parts",
    [
        ("raise ValueError('two\\nlines')", ["f stopped with an error", "ValueError: two\n        lines"]),
        ("y = x @ x.T @ x; return y @ y", ["RuntimeError: mat1 and mat2", "at your line `y = x @ x.T @ x; return y"]),
        ("return {}['k']", ["KeyError: 'k'", "(at your line `return {}['k']`)"]),
        ("assert False", ["actual:   AssertionError  (at your line `assert False`)"]),
        ("return f(x)", ["RecursionError", "calls itself without ever coming to an end"]),
        ("raise SystemExit", ["SystemExit", "use return to leave a function"]),
        ("import sys; sys.exit(0)", ["SystemExit: 0"]),
        ("raise GeneratorExit", ["GeneratorExit"]),
        ("raise BaseException('b')", ["BaseException: b"]),
        ("raise ExceptionGroup('g', [ValueError(1)])", ["ExceptionGroup: g"]),
        ("raise NotImplementedError()", ["f is not written yet", "in place of `raise NotImplementedError()`"]),
        ("raise NotImplementedError", ["f is not written yet"]),
        ("return torch.zeros(1, device='meta').numpy()", ["f stopped with an error", "Error: "]),
        ("return torch.nn.Module()(x)", ["f stopped with an error", 'missing the required "forward" function']),
        ("raise ValueError('a' * 10**6)", ["ValueError: aaa", " ... "]),
        ("raise ValueError({1: [2]}, 3)", ["ValueError: ({1: [2]}, 3)"]),
        ("raise Mute()", ["Mute: (its message cannot be shown)", "at your line `raise Mute()`"]),
        ("raise Quit()", ["Quit: (its message cannot be shown)"]),
        ("raise StopIteration(Hostile())", ["StopIteration: (its message cannot be shown)"]),
        ("raise 3", ["TypeError: exceptions must derive"]),
        ("return np.zeros(3) + np.zeros(2)", ["ValueError: operands could not be broadcast"]),
        ("x.requires_grad_(); x += 1", ["a leaf Variable that requires grad"]),
        ("raise ValueError() from KeyError()", ["actual:   ValueError  (at"]),
        ("return " + "1 + " * 100 + "None", ["...`)"]),
    ],
)
def test_call_explains_what_went_wrong(body, parts):
    class Mute(Exception):
        def __str__(self):
            raise RuntimeError

    class Quit(Exception):
        def __str__(self):
            raise SystemExit

    f = learner(f"def f(x):\n    {body}\n", Mute=Mute, Quit=Quit, Hostile=Hostile)
    text = message(check.call, f, torch.zeros(2, 3))
    for part in parts:
        assert part in text


def test_call_names_the_stub_that_is_missing():
    f = learner("def g():\n    raise NotImplementedError\ndef f():\n    return g()\n")
    assert message(check.call, f).startswith("f needs g, which is not written yet")


def test_call_shows_the_learners_line_and_never_the_tests():
    f = learner("def f(x):\n    return x.missing\n")
    text = message(check.call, lambda: f(3) + 123456, name="f(3)")
    assert text.startswith("f(3) stopped with an error") and "`return x.missing`" in text and "123456" not in text
    g = learner("def f(x):\n    pass\n")
    text = message(check.call, lambda: g(3).hidden_secret_attribute(), name="f(3)")
    assert "at your line" not in text  # the line that failed is the test's


def test_call_says_when_the_signature_was_changed():
    text = message(check.call, learner("def f(x):\n    return x\n"), 1, 2)
    assert "takes 1 positional argument" in text and "keep the given `def` line" in text
    assert "def` line" not in message(check.call, learner("def f(x):\n    return x + None\n"), 1)


class LyingError(ValueError):
    __class__ = property(lambda self: NotImplementedError)
    __traceback__ = property(lambda self: 1 / 0)


class BrokenError(ValueError):
    __class__ = property(lambda self: 1 / 0)
    args = property(lambda self: 1 / 0)


@pytest.mark.parametrize("error", [LyingError, BrokenError])
def test_exceptions_that_lie_about_their_class(error):
    f = learner("def f():\n    raise E\n", E=error)
    assert f"{error.__name__}" in message(check.call, f)
    assert "wrong kind of error" in message(check.raises, NotImplementedError, f)
    check.raises(ValueError, f)


def test_call_uses_the_given_name_and_hint():
    f = learner("def f(x):\n    return 1 / 0\n")
    text = message(check.call, f, 1, name="the loss", hint="think of n = 0")
    assert text.startswith("the loss stopped") and text.endswith("hint:     think of n = 0")


@pytest.mark.parametrize("make", [lambda: None, lambda: 3, lambda: T([1.0]), AlwaysEqual, Hostile, Quits])
def test_call_of_what_is_no_function(make):
    assert "is not a function" in message(check.call, make())


def test_stop_button_is_not_swallowed():
    def stop():
        raise KeyboardInterrupt

    for function in (check.call, lambda f: check.raises(ValueError, f)):
        with pytest.raises(KeyboardInterrupt):
            function(stop)


CHANGES = {
    "tensor": (lambda: T([1.0, math.nan]), lambda a: a.add_(1)),
    "tensor to inf": (lambda: T([3e38, math.inf]), lambda a: a.clamp_(max=3.4e38)),
    "tensor entry": (lambda: T([1, 2]), lambda a: a.__setitem__(0, 5)),
    "bool tensor": (lambda: T([True]), lambda a: a.logical_not_()),
    "complex tensor": (lambda: T([1j]), lambda a: a.mul_(2)),
    "bfloat16 tensor": (lambda: torch.ones(2, dtype=torch.bfloat16), lambda a: a.mul_(2)),
    "sparse tensor": (lambda: torch.eye(2).to_sparse(), lambda a: a.mul_(2)),
    "tensor shape": (lambda: torch.zeros(2, 1), lambda a: a.squeeze_()),
    "parameter": (lambda: torch.nn.Parameter(torch.ones(1)), lambda a: a.data.mul_(2)),
    "array": (lambda: np.array([np.nan, 1.0]), lambda a: a.sort()),
    "array entry": (lambda: np.array([1.0, np.nan]), lambda a: a.__setitem__(0, 5)),
    "object array": (lambda: np.array([1, [2]], dtype=object), lambda a: a[1].append(3)),
    "date array": (lambda: np.array(["2020-01-01", "NaT"], "M8[D]"), lambda a: a.fill("NaT")),
    "frame value": (frame, lambda a: a.__setitem__("x", 0.0)),
    "frame column": (frame, lambda a: a.pop("x")),
    "frame dtype": (frame, lambda a: a.__setitem__("n", a["n"].astype("int32"))),
    "frame index": (frame, lambda a: setattr(a, "index", [1, 2, 3])),
    "series": (lambda: pd.Series([1, 2]), lambda a: a.__setitem__(0, 5)),
    "list": (lambda: [1, 2], lambda a: a.append(3)),
    "list entry": (lambda: [1, 2], lambda a: a.__setitem__(0, 5)),
    "list entry type": (lambda: [1, 2], lambda a: a.__setitem__(0, True)),
    "list entry sly": (lambda: [1, "a"], lambda a: a.__setitem__(1, AlwaysEqual())),
    "list order": (lambda: ["b", "a"], lambda a: a.sort()),
    "list of tensors": (lambda: [T([1.0])], lambda a: a[0].mul_(2)),
    "list tensor replaced": (lambda: [T([1.0])], lambda a: a.__setitem__(0, None)),
    "list looped": (lambda: [[1]], lambda a: a[0].__setitem__(0, a)),
    "list hostile": (lambda: [[1]], lambda a: a.__setitem__(0, Hostile())),
    "tuple of lists": (lambda: ([1],), lambda a: a[0].clear()),
    "dict entry": (lambda: {"a": 1}, lambda a: a.__setitem__("a", 2)),
    "dict key": (lambda: {"a": 1}, lambda a: a.__setitem__("b", 2)),
    "dict nested": (lambda: {"a": {"b": [1]}}, lambda a: a["a"].__setitem__("b", None)),
    "defaultdict read": (lambda: collections.defaultdict(int), lambda a: a["new"]),
    "set": (lambda: {1}, lambda a: a.add(2)),
    "object replaced": (lambda: [torch.nn.Identity()], lambda a: a.__setitem__(0, torch.nn.Identity())),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_changed_inputs_are_noticed(kind):
    make, change = CHANGES[kind]

    def f(x):
        change(x)

    text = message(check.call, f, make())
    assert text.startswith("f changed its argument 1 in place") and "work on a copy" in text
    assert "argument x in place" in message(check.call, f, x=make())
    check.call(f, make(), keeps_inputs=False)
    check.call(lambda x: x, make())  # reading is allowed

    def block():
        data = make()
        with check.unchanged("one epoch", X=data):
            change(data)

    assert message(block).startswith("one epoch changed X in place")


def test_unchanged_lets_the_block_read():
    data = {"a": [T([1.0, math.nan]), frame(), np.array([None, math.nan], dtype=object), math.nan, {1}]}
    with check.unchanged("reading", data=data, net=torch.nn.Linear(1, 1)):
        data["a"] = list(data["a"])
        data["a"][3] = float("nan")


# ---------------------------------------------------------------- raises and forbidden


def test_raises():
    check.raises(ValueError, learner("def f(x):\n    raise ValueError\n"), 1)
    check.raises(Exception, learner("def f(x):\n    raise KeyError\n"), 1)
    check.raises(NotImplementedError, learner("def f(x):\n    raise NotImplementedError\n"), 1)
    text = message(check.raises, ValueError, learner("def f(x):\n    return x\n"), 1)
    assert text == (
        "f accepted input that it should refuse\n    expected: ValueError is raised\n    actual:   no error"
    )
    text = message(check.raises, ValueError, learner("def f(x):\n    raise KeyError('a')\n"), 1, name="f(1)", hint="h")
    assert text.startswith("f(1) raised the wrong kind of error\n    expected: ValueError is raised\n")
    assert "KeyError: 'a'  (at your line `raise KeyError('a')`)" in text and text.endswith("h")
    for error in (RuntimeError, Exception):
        assert "not written" in message(check.raises, error, learner("def f():\n    raise NotImplementedError\n"))
    assert "SystemExit" in message(check.raises, ValueError, learner("def f():\n    raise SystemExit\n"))


def test_raises_does_not_take_a_refused_call_for_a_refusal():
    def block():
        with check.forbidden("torch.cat", because="b"):
            check.raises(AssertionError, learner("def f():\n    torch.cat([])\n"))

    assert "your code calls torch.cat" in message(block)


FORBIDDEN = {
    "function": ("torch.softmax", "torch.softmax(torch.zeros(2), 0)"),
    "through a module": ("torch.nn.functional.linear", "torch.nn.Linear(1, 1)(torch.zeros(1))"),
    "class": ("torch.nn.Linear", "torch.nn.Linear(1, 1)"),
    "subclass": ("torch.nn.Linear", "type('Own', (torch.nn.Linear,), {})(1, 1)"),
    "optimiser": ("torch.optim.SGD", "torch.optim.SGD([torch.zeros(1)], lr=1)"),
    "method": ("torch.Tensor.backward", "torch.ones(1, requires_grad=True).sum().backward()"),
    "inherited method": ("torch.Tensor.softmax", "torch.zeros(2).softmax(0)"),
    "swallowed": ("torch.softmax", "\n    try:\n        torch.softmax(1, 0)\n    except BaseException:\n        pass"),
    "built-in": ("builtins.sum", "sum([1])"),
    "type in C": ("numpy.ndarray", "np.ndarray(2)"),
}


@pytest.mark.parametrize("kind", FORBIDDEN)
def test_forbidden_calls(kind):
    dotted, body = FORBIDDEN[kind]
    own = learner(f"def f():\n    {body}\n")

    def block():
        with check.forbidden("torch.cat", dotted, dotted, because="write it yourself"):
            check.call(own)

    if kind != "optimiser":  # the first one made imports torch._dynamo: two seconds
        own()
    text = message(block)
    assert text.startswith(f"your code calls {dotted}, which this exercise does not allow")
    assert text.endswith("hint:     write it yourself")
    assert "(at your line `" in text
    if kind != "optimiser":
        own()  # everything is back in its place


def test_forbidden_puts_everything_back_after_any_error():
    places = [(torch, "softmax"), (torch.nn.Linear, "__init__"), (torch.Tensor, "softmax")]
    before = [(vars(owner).get(name), getattr(owner, name)) for owner, name in places]
    names = ("torch.softmax", "torch.nn.Linear", "torch.Tensor.softmax", "torch.softmax")
    for error in (ValueError, KeyboardInterrupt, SystemExit):
        with pytest.raises(error), check.forbidden(*names, because="b"):
            assert torch.softmax is not before[0][1]
            raise error
        assert [(vars(owner).get(name), getattr(owner, name)) for owner, name in places] == before
    with pytest.raises(AttributeError), check.forbidden(*names, "torch.no_such_thing", because="b"):
        pass
    assert [(vars(owner).get(name), getattr(owner, name)) for owner, name in places] == before


def test_forbidden_leaves_other_code_alone():
    layer = torch.nn.Linear(1, 1)
    with check.forbidden("torch.nn.Linear", "builtins.sum", "builtins.sorted", because="b"):
        assert isinstance(layer, torch.nn.Linear)
        layer(torch.zeros(1))
        torch.nn.Conv2d(1, 1, 1)
        pd.DataFrame({"b": [1], "a": [2]}).sort_index(axis=1).describe()
    with pytest.raises(TypeError, match="cannot be forbidden"), check.forbidden("builtins.set", because="b"):
        pass
    with pytest.raises(ValueError, match="not the full name"), check.forbidden("softmax", because="b"):
        pass


# ---------------------------------------------------------------- gradient


X, W = T([[1.0, 2.0], [3.0, -1.0], [0.5, 2.0]]), T([[2.0], [-1.0]])
NAMES = {"names": ["X", "w"]}


def matmul(a, b):
    return a @ b


@pytest.mark.parametrize(
    "right",
    [
        matmul,
        lambda a, b: torch.einsum("ij,jk->ik", a, b),
        lambda a, b: (a * b.T).sum(1, keepdim=True),
        lambda a, b: torch.nn.functional.linear(a, b.T),
    ],
)
def test_gradient_accepts_any_right_function(right):
    with torch.no_grad():  # even here
        check.gradient(right, matmul, [X, W], "f")


@pytest.mark.parametrize(
    "body, parts",
    [
        ("return (a @ b).detach()", ["no gradient flows through f", "requires_grad is False", ".detach()"]),
        ("return torch.tensor((a @ b).tolist())", ["no gradient flows through f"]),
        ("return a.detach() @ b", ["no gradient of f reaches X", "a gradient of shape (3, 2)", "actual:   none"]),
        ("return a @ b.data", ["no gradient of f reaches w"]),
        ("return a @ b * a.detach() @ b.detach() * 0 + a @ b * 2", ["the gradient of f with respect to X", "2 times"]),
        ("return a @ b + (a * a).sum()", ["the gradient of f with respect to X: wrong value"]),
        ("return (a @ b).flip(0)", ["the gradient of f with respect to X"]),  # right for a plain sum
        ("return a @ b * torch.tensor(float('nan'))", ["the gradient of f with respect to X: NaN"]),
        ("return None", ["f: wrong type", "`return`"]),
        ("return (a @ b).numpy()", ["f stopped with an error", "detach()"]),
        ("return (a @ b).sum()", ["f: wrong shape", "summed or averaged"]),
        ("return (a @ b).to('meta')", ["f holds no numbers"]),
        ("return (a @ b).to_sparse()", ["wrong memory layout"]),
        ("raise NotImplementedError", ["f is not written yet"]),
        ("y = a @ b; y.sum().backward(); return y", ["the backward pass through f stopped", "second time"]),
        ("y = (a @ b).exp(); y += 1; return y", ["the backward pass through f stopped", "inplace operation"]),
        ("return Bad.apply(a @ b)", ["the backward pass through f stopped with an error", "ZeroDivisionError"]),
        ("return Stub.apply(a @ b)", ["the backward pass through f is not written yet"]),
        ("a += 1; return a @ b", ["f stopped with an error", "leaf Variable"]),
        ("a.data += 1; return a @ b", ["f changed its argument 1 in place"]),
        ("return Sly", ["f: wrong type"]),
    ],
)
def test_gradient_refuses(body, parts):
    source = f"""
class Bad(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): return x.clone()
    @staticmethod
    def backward(ctx, g): return 1 / 0
class Stub(Bad):
    @staticmethod
    def backward(ctx, g):
        raise NotImplementedError
def f(a, b):
    {body}
"""
    own = learner(source, Sly=AlwaysEqual())
    text = message(check.gradient, own, matmul, [X, W], "f", **NAMES)
    assert all(part in text for part in parts), text


def test_gradient_of_inputs_that_do_not_matter():
    index = T([2, 0])
    check.gradient(lambda a, i: a[i], lambda a, i: torch.index_select(a, 0, i), [X, index], "f")
    # An input that the reference leaves out, and one that it multiplies by zero, need no gradient.
    check.gradient(lambda a, b: a * 2, lambda a, b: a * 2, [X, W], "f")
    check.gradient(lambda a, b: a * 2, lambda a, b: a * 2 + 0 * b.sum(), [X, W], "f")
    check.gradient(lambda a, b: a * 2 + 0 * b.sum(), lambda a, b: a * 2, [X, W], "f")
    text = message(check.gradient, lambda a, b: a * 2 + b.sum(), lambda a, b: a * 2, [X, W], "f", **NAMES)
    assert text.startswith("a gradient of f reaches w and should not")
    with pytest.raises(ValueError, match="reference"):
        check.gradient(matmul, lambda a, b: a.detach(), [X, W], "f")


def test_gradient_of_dtypes_and_sizes():
    for dtype in (torch.float16, torch.bfloat16, torch.float64, torch.complex64):
        long = torch.ones(70_000 if dtype is torch.float16 else 3, dtype=torch.float32)
        check.gradient(lambda a, d=dtype: a.to(d), lambda a, d=dtype: a.to(d), [long], "f")
    check.gradient(lambda a: a * 2, lambda a: a * 2, [T(1.0)], "f")
    check.gradient(lambda a: a * 2, lambda a: a * 2, [torch.zeros(0, 2)], "f")
    embed = torch.nn.functional.embedding
    check.gradient(lambda w: embed(T([0, 2]), w, sparse=True), lambda w: w[T([0, 2])], [X], "f")


def test_gradient_leaves_the_given_inputs_alone():
    a = X.clone().requires_grad_()
    check.gradient(matmul, matmul, [a, W], "f")
    assert a.grad is None and not W.requires_grad
    text = message(check.gradient, lambda a, b: a @ b * 1.01, matmul, [a, W], "f", hint="h")
    assert text.endswith("h")
    check.gradient(lambda a, b: a @ b * 1.01, matmul, [a, W], "f", rtol=0.02)


# ---------------------------------------------------------------- notebooks


@pytest.fixture
def shell(monkeypatch):
    import sys

    from IPython.core.interactiveshell import InteractiveShell

    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    shell = InteractiveShell()
    shell.run_cell("import torch\nfrom torch import softmax as soft\nfrom dlcourse import check")
    shell.run_cell("def f(x):\n    y = x * 2\n    return y.reshape(7)")
    yield shell
    shell.history_manager.enabled = False


SECRET_CELLS = {
    "value": "secret = 41\ncheck.value(secret, 42, 'f(x)')",
    "call": "secret = torch.zeros(3)\ncheck.call(f, secret)",
    "unchanged": "secret = [1]\nwith check.unchanged('f', X=secret):\n    secret.append(2)",
    "group": "def g(): raise ExceptionGroup('secrets', [ValueError()])\ndef secret(): check.call(g)\nsecret()",
    "forbidden": "secret = 1\nwith check.forbidden('torch.softmax', because='b'):\n    soft(torch.zeros(1), 0)",
    "gradient": "secret = [torch.zeros(3)]\ncheck.gradient(lambda x: x.detach(), lambda x: x, secret, 'f')",
    "that": "secret = False\ncheck.that(secret, 'the loss did not fall')",
}


@pytest.mark.parametrize("kind", SECRET_CELLS)
def test_notebook_prints_the_message_and_no_frame_of_the_test(shell, capsys, kind):
    capsys.readouterr()
    result = shell.run_cell(SECRET_CELLS[kind])
    output = capsys.readouterr()
    assert isinstance(result.error_in_exec, check.CheckError), result.error_in_exec
    assert output.out == f"CheckError: {result.error_in_exec}\n" and output.err == ""
    assert "secret" not in output.out.replace("ExceptionGroup: secrets", "")
    if kind == "call":
        assert "(at your line `return y.reshape(7)`)" in output.out


@pytest.mark.slow
def test_real_kernel_prints_the_message_and_no_frame_of_the_test():
    import nbformat
    from nbclient import NotebookClient

    setup = "import torch\nfrom dlcourse import check\nfrom torch import softmax as soft"
    stub = "def f(x):\n    y = x * 2\n    return y.reshape(7)"
    sources = [setup, stub, *SECRET_CELLS.values()]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    NotebookClient(notebook, kernel_name="python3", allow_errors=True, timeout=120).execute()
    outputs = [cell.outputs for cell in notebook.cells]
    assert outputs[:2] == [[], []]
    for kind, found in zip(SECRET_CELLS, outputs[2:], strict=True):
        assert [out.output_type for out in found] == ["error"]
        assert found[0].ename == "CheckError"
        assert found[0].traceback == [f"CheckError: {found[0].evalue}"], kind
        assert "secret" not in found[0].evalue.replace("ExceptionGroup: secrets", "")
    assert "(at your line `return y.reshape(7)`)" in outputs[3][0].evalue


def test_defined_knows_which_answer_was_run():
    check.defined("f", {"f": None})
    with pytest.raises(check.CheckError) as failure:
        check.defined("f", {"g": None})
    assert str(failure.value).splitlines() == ["f is not defined", "    hint:     run the cell of your answer first."]


def test_operations_counts_and_measures():
    a = torch.ones(8, 5)
    found = check.operations(lambda x: x + 1, a)
    assert torch.equal(found.result, a + 1) and (found.count, found.largest) == (1, 40)
    assert check.operations(lambda x: torch.stack([row + 1 for row in x]), a).count > 8
    # What is written into an argument, or shows it in another shape, is no new tensor.
    found = check.operations(lambda x: x.T.mul_(2).add_(1), a, keeps_inputs=False)
    assert torch.equal(a, torch.full((8, 5), 3.0)) and found.largest == 0
    assert check.operations(lambda x, y: torch.mul(x, 2, out=y), a, a.clone(), keeps_inputs=False).largest == 0
    assert check.operations(lambda pair: pair[0].sum(dim=0), (a,)).largest == 5
    assert check.operations(lambda: 3) == (3, 0, 0)


def test_operations_explains_like_call():
    stub = learner("def f(x):\n    raise NotImplementedError()\n")
    assert message(check.operations, stub, T(1.0)).startswith("f is not written yet")
    crash = learner("def f(x):\n    return x.reshape(7)\n")
    assert "(at your line `return x.reshape(7)`)" in message(check.operations, crash, torch.ones(3), name="f(x)")
    assert "changed its argument 1 in place" in message(check.operations, lambda x: x.add_(1), torch.ones(3))
    assert "is not a function" in message(check.operations, 3)
