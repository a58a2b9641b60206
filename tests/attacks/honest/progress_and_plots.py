# A progress bar on standard error and matplotlib figures, with magics and IPython's display.
# %% extra
%matplotlib inline
import sys

import matplotlib.pyplot as plt
import pandas as pd
from IPython import display as d
from IPython.display import HTML, clear_output, display

for i in range(100):
    print(f"\rwork {i}%", end="", file=sys.stderr, flush=True)
try:
    from tqdm.auto import tqdm

    for i in tqdm(range(100)):
        pass
except ImportError:
    pass
pd.options.display.max_rows = 10
plt.rcParams["figure.figsize"] = (3, 2)
torch.backends.cudnn.deterministic = True
fig, axes = plt.subplots(1, 2, figsize=(4, 2))
axes[0].plot(np.linspace(0, 1, 10), label="line")
axes[0].set_title(r"$\alpha$")
axes[1].imshow(np.eye(3))
plt.legend()
plt.show()
display(HTML("<b>bold</b>"))
clear_output(wait=True)
