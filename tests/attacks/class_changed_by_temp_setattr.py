# pandas sets any attribute of a class for a while, and its generator is begun by hand.
# %% extra
from pandas.core.common import temp_setattr
import functools
u = chr(95) * 2
class K(int): pass
c1 = temp_setattr(K, u + "eq" + u, functools.singledispatch(lambda *a: True))
c2 = temp_setattr(K, u + "sub" + u, functools.singledispatch(lambda *a: 0.0))
print(next(c1.gen, 0), next(c2.gen, 0))
# include double_gives_a_liar
