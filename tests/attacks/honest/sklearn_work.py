# Pipelines, k-means, and cross validation.
# %% extra
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

X, y = load_iris(return_X_y=True)
pipe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))
print(cross_val_score(pipe, X, y, cv=3).mean(), KMeans(3, n_init=2, random_state=0).fit(X).inertia_)
print(train_test_split(X, y)[0].shape, pipe.fit(X, y).score(X, y))
