# argparse's other ways to read arguments set attributes of a class.
# %% extra
import argparse, functools
u = chr(95) * 2
class K(int): pass
p = argparse.ArgumentParser()
for n, v in (("e", True), ("s", 0.0)):
    p.add_argument("-" + n, action="store_const", dest=u + {"e": "eq", "s": "sub"}[n] + u, const=functools.singledispatch(lambda *a, v=v: v))
p.parse_intermixed_args(["-e", "-s"], K)
# include double_gives_a_liar
