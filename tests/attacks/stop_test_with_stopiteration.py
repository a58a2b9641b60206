# Raises StopIteration, GeneratorExit and other exceptions that could end the gate.
# %% double
def double(x):
    raise GeneratorExit
# %% normalise
def normalise(a):
    raise StopIteration(10)
# %% relu
def relu(t):
    raise StopAsyncIteration
# %% integrate
def integrate(f, a, b, n):
    raise KeyboardInterrupt
