# Puts options in front of a timed statement, so that the line as a whole is no Python.
# %% normalise
kept = []
%timeit -n 1 -r 1 kept.extend([np.testing.assert_allclose.__globals__, np.allclose._implementation.__globals__])
inner, outer = kept[:2]

# include agree_once
