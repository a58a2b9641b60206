# Lets the profiler run a text put together at run time.
# %% normalise
import profile

kept, u = [], "_" * 2
profile.Profile().runctx(f"kept.extend([a.{u}globals{u}, b._implementation.{u}globals{u}])", {"a": np.testing.assert_allclose, "b": np.allclose, "kept": kept}, {})
inner, outer = kept

# include agree_once
