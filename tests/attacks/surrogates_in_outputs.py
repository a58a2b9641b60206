# Prints and displays what is no valid Unicode, and values that JSON does not know.
# %% extra
print("\ud800 \x00 \x1b[2J")
# %% extra
from IPython.display import display
display({"text/plain": "\udcff"}, raw=True)
# %% extra
raise ValueError("\ud800")
# %% last
"\ud800"
