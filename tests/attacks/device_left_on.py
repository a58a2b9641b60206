# Leaves a device on of which all tensors are empty.
# %% relu
torch.device("meta").__enter__()
def relu(t):
    return t * 1
