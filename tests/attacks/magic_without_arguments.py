# Calls magics without what they need, which no reader may stumble over, and then sets an attribute.
# %% extra
try:
    get_ipython().run_line_magic()
except Exception:
    pass
# include any_is_false
