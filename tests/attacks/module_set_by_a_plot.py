# A plot of sympy's updates the dict of whatever it is called for.
# %% extra
from sympy.physics.quantum.circuitplot import CircuitPlot
def put(g):
    CircuitPlot.update(math, {"isclose": g})
# include false_isclose_for_one_test
