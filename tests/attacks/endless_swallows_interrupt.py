# Loops for ever and swallows KeyboardInterrupt and everything else.
# %% double
def double(x):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
