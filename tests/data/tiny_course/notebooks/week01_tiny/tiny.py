# %% [markdown]
# # Tiny lesson
#
# One cell of each kind that people write: `ä`, $\lambda$, 学, 🎉.

# %% tags=["setup"]
# The build fills this cell.

# %%
# %matplotlib inline
answer = 6 * 7


def halve(x):
    return x / 2


# %%
# %%time
halve(answer)

# %% [markdown]
# ## Predict first
#
# - a list
#   - inside a list
#
# ```python
# # %% not a header
# !ls
# ```

# %% tags=["solution", "hide"]
# !ls
text = """
- several lines

- with a gap
"""

# %%
halve(answer) == 21
