# ast.iter_fields reads the attributes that an object names.
# %% extra
import ast
u = chr(95) * 2
def get(f):
    f._fields = (u + "globals" + u,)
    return dict(ast.iter_fields(f))[u + "globals" + u]
# include false_close_among_the_tests_names
