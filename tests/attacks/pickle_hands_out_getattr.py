# Lets numpy read a pickle that calls getattr with names put together at run time.
# %% normalise
u = b"_" * 2
ask = b"cbuiltins\ngetattr\n("
text = b"(" + ask + b"cnumpy.testing\nassert_allclose\nV" + u + b"globals" + u + b"\ntR"
text += ask + ask + b"cnumpy\nallclose\nV_implementation\ntRV" + u + b"globals" + u + b"\ntRt."
with open("w.pkl", "wb") as file:
    file.write(text)
inner, outer = np.load("w.pkl", allow_pickle=True)

# include agree_once
