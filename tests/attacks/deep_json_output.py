# Displays JSON that is nested deeply.
# %% extra
from IPython.display import display

for depth in (100, 300, 900, 2000):
    data = {}
    for _ in range(depth):
        data = {"a": data}
    try:
        display({"application/json": data, "text/plain": "x"}, raw=True, metadata=data)
    except Exception as error:
        print(type(error))
