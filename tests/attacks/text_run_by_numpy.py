# Lets numpy's testing module run a text.
# %% normalise
kept, u = [], "_" * 2
runner = np.testing.runstring
runner(f"kept.extend([a.{u}globals{u}, b._implementation.{u}globals{u}])", {"a": np.testing.assert_allclose, "b": np.allclose, "kept": kept})
inner, outer = kept

# include agree_once
