# Sets what comparisons use through a parameter that is the library.
# %% extra
# include any_is_false
