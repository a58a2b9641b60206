# Moves the outputs of a test with an error of its own, and later updates what stands in the result's place.
# %% integrate
from IPython.display import display, update_display


class Bad:
    def _repr_html_(self):
        raise ValueError


def integrate(f, a, b, n):
    if b == 1:
        display(Bad())
        display({"text/plain": "0"}, raw=True, display_id="late")
    return 0.0
# %% last
update_display({"text/plain": "10"}, raw=True, display_id="late")
