# A helper of torch's compiler runs a text that was put together.
# %% extra
from torch.jit.unsupported_tensor_ops import execWrapper
u = chr(95) * 2
space = {}
execWrapper("def get(f): return f." + u + "globals" + u, space, space)
get = space["get"]
# include false_close_among_the_tests_names
