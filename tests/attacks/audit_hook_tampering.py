# Adds audit hooks of its own and raises in them, and replaces the functions the hook might call.
# %% extra
import sys


def hook(event, args):
    if "getattr" in event:
        raise SystemExit


sys.addaudithook(hook)
