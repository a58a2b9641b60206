# Lets numpy read a pickle that names attributes of modules.
# %% normalise
text = b"(cnumpy.testing._private.utils\n_xdict_x\ncnumpy._core.numeric\n_xdict_x\nt.".replace(b"x", b"_")
with open("w.pkl", "wb") as file:
    file.write(text)
inner, outer = np.load("w.pkl", allow_pickle=True)

# include agree_once
