# Lets sympy compile a text put together at run time.
# %% normalise
import sympy

u = "_" * 2
inner = sympy.lambdify(["x"], f"x.{u}globals{u}")(np.testing.assert_allclose)
outer = sympy.lambdify(["x"], f"x._implementation.{u}globals{u}")(np.allclose)

# include agree_once
