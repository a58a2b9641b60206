# Calls getattr with its arguments in a list.
# %% normalise
u = "_" * 2
inner, outer = getattr(*[np.testing.assert_allclose, u + "globals" + u]), getattr(*[getattr(*[np.allclose, "_implement" + "ation"]), u + "globals" + u])

# include agree_once
