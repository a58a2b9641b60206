# Searches all objects for the gate's generator, its channel and the test's names.
# %% extra
import gc

for thing in gc.get_objects():
    if type(thing).__name__ in ("generator", "Channel"):
        print(thing)
    if isinstance(thing, dict) and "_cipher" in thing:
        print(thing)
