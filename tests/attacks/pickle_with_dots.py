# Lets pandas read a pickle that names attributes of functions.
# %% normalise
import pandas as pd

u = b"_" * 2
name = lambda a, b: b"\x8c" + bytes([len(a)]) + a + b"\x8c" + bytes([len(b)]) + b + b"\x93"
text = b"\x80\x04" + name(b"numpy.testing", b"assert_allclose." + u + b"globals" + u) + name(b"numpy", b"allclose._implementation." + u + b"globals" + u) + b"\x86."
with open("p.pkl", "wb") as file:
    file.write(text)
inner, outer = pd.read_pickle("p.pkl")

# include agree_once
