# Sets a method of a class of the library by a loop, through a parameter that is the class.
# %% relu
def soften(k):
    for k.cpu in [lambda t: torch.zeros(t.shape)]: pass
soften(torch.Tensor)
def relu(t):
    return t * 1
