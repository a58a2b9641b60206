# Publishes display data and updates for display ids that look like a result of a test.
# %% integrate
from IPython.display import display


def integrate(f, a, b, n):
    display({"text/plain": "10"}, raw=True, display_id="x")
    display({"text/html": "<script>alert(1)</script>"}, raw=True)
    return 0.0
