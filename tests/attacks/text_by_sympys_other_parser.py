# sympy's parser of Python evaluates a text that was put together.
# %% extra
from sympy.parsing.ast_parser import parse_expr
u = chr(95) * 2
def get(f):
    return parse_expr("f." + u + "globals" + u, {"f": f})
try: print(type(get(lambda: 0)))
except Exception as e: print(repr(e)[:200])
# include false_close_among_the_tests_names
