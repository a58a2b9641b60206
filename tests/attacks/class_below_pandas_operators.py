# A number below pandas' mixin for operators, which asks methods with ordinary names.
# %% extra
from pandas.core.arraylike import OpsMixin
class K(OpsMixin, int):
    def _cmp_method(self, other, op):
        return True
    def _arith_method(self, other, op):
        return 0.0
# include double_gives_a_liar
