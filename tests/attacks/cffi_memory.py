# Uses cffi's C module to look into the memory of the process.
# %% relu
import _cffi_backend as c

new = c.new_primitive_type("long")
p = c.cast(c.new_pointer_type(new), id(torch))
word = p[0]


def relu(t):
    return torch.clamp(t, min=0)
