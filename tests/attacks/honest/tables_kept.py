# Tables grouped, piped, styled with several formats and kept as a pickle.
# %% extra
import pandas as pd

df = pd.DataFrame({"kind": list("abab"), "x": [1.0, 2.0, 3.0, 4.0], "day": pd.date_range("2024-01-01", periods=4)})
shown = "{:.1f}"
print(df.groupby("kind").x.agg(["mean", "std"]), df.groupby("kind", group_keys=False)["x"].apply(lambda x: x - x.mean()))
print(df.pipe(lambda d: d[d.x > 1]).assign(y=lambda d: d.x**2).pivot_table(index="kind", values="y").to_html()[:20])
df.to_pickle("df.pkl")
print(pd.read_pickle("df.pkl").equals(df))
# %% last
display(df.style.format({"x": "{:.2f}", "day": lambda d: d.strftime("%d.%m.")}).highlight_max(subset=["x"]))
display(df[["x"]].style.format(shown), df[["x"]].style.format(precision=1))
