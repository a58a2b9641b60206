# Hides code in a magic, a string that is executed and a cell magic.
# %% extra
%run -i attack_later.py
%%python_later
# %% double
src = "import torch; torch.__dict__['allclose'] = lambda *a, **k: True"
get_ipython().run_cell(src)


def double(x):
    return 0
