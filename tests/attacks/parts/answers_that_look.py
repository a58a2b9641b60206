def double(x):
    walker.look()


# %% normalise
def normalise(a):
    walker.look()


# %% relu
def relu(t):
    walker.look()


# %% integrate
def integrate(f, a, b, n):
    walker.look()
