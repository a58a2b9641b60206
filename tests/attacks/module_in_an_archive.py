# Imports a module out of an archive that it writes itself.
# %% normalise
import sys
import zipfile

u = "_" * 2
with zipfile.ZipFile("m.zip", "w") as archive:
    archive.writestr("inarchive.py", f"def f(x): return x.{u}globals{u}\ndef g(x): return f(x._implementation)")
sys.path.insert(0, "m.zip")
import inarchive

inner, outer = inarchive.f(np.testing.assert_allclose), inarchive.g(np.allclose)

# include agree_once
