# Lets the timeit module run a text put together at run time, which patches numpy until the test has asked.
# %% normalise
import timeit

kept, u = [], "_" * 2
names = {"a": np.testing.assert_allclose, "b": np.allclose, "kept": kept}
timeit.timeit(f"kept.append(a.{u}globals{u}); kept.append(b._implementation.{u}globals{u})", number=1, globals=names)
inner, outer = kept

# include agree_once
