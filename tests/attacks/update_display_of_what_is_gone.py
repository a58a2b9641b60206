# Updates outputs that a test's verdict has removed, with display ids of every kind.
# %% double
from IPython.display import display, update_display


class Bad:
    def _repr_html_(self):
        raise ValueError


def double(x):
    for i in range(5):
        display(Bad())
    display({"text/plain": "0"}, raw=True, display_id="gone")
    return 0
# %% last
update_display({"text/plain": "10"}, raw=True, display_id="gone")
# %% last
display({"text/plain": "0"}, raw=True, display_id=["a"])
# %% last
display({"text/plain": 7, 3: [None], "text/html": {"a": 1}, "image/png": float("nan")}, raw=True, metadata={"a": [1]})
