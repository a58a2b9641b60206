# Lets pydoc find an attribute by a dotted text put together at run time.
# %% normalise
import pydoc

u = "_" * 2
inner, outer = pydoc.locate(f"numpy.testing.assert_allclose.{u}globals{u}"), pydoc.locate(f"numpy.allclose._implementation.{u}globals{u}")

# include agree_once
