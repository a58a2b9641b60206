# mpmath evaluates texts when it looks for a formula of a number.
# %% file helper.py
box = []
# %% extra
import mpmath
u = chr(95) * 2
from helper import box

def get(f):
    return box[0](f)
try: mpmath.identify(mpmath.mpf("0.7"), ["[h.append(lambda f: f." + u + "globals" + u + ") for h in [" + u + "import" + u + "('helper').box]]"])
except BaseException as e: print(repr(e)[:300])
print(box)
# include false_close_among_the_tests_names
