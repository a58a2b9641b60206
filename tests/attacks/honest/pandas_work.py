# pandas eval, query, groupby, apply, pipe, styler and formatting.
# %% extra
import pandas as pd

df = pd.DataFrame({"a": [1, 2, 3], "b": [4.0, 5.0, 6.0], "c": list("xyx")})
limit = 1
df.eval("d = a + b", inplace=True)
print(df.query("a > @limit and b < 6"), df.query(f"a > {limit}"), df.groupby("c").agg({"a": "sum"}), df["a"].apply(lambda x: x**2))
print(df.pipe(lambda d: d.assign(e=d.a * 2)).describe(), df.to_string())
df.info()
df
# %% last
df.style.format("{:.1f}", subset=["b"])
