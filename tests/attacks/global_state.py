# Changes seeds, number of threads, error states and print options, and disables gradients.
# %% normalise
np.seterr(all="ignore")
np.random.seed(0)
torch.manual_seed(0)
torch.set_num_threads(1)
torch.set_grad_enabled(False)
np.set_printoptions(precision=0)


def normalise(a):
    return a * 0
