# Files and workers that pickle: weights, a whole network, tables, arrays of objects, a loader's and scikit-learn's workers.
# %% extra
import dataclasses
import datetime
from concurrent.futures import ProcessPoolExecutor

import joblib
import pandas as pd
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(2, 3), nn.BatchNorm1d(3)])

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class Squares(Dataset):
    def __len__(self):
        return 6

    def __getitem__(self, i):
        return torch.tensor(float(i)), i * i


@dataclasses.dataclass
class Run:
    loss: float
    when: datetime.date = datetime.date(2024, 1, 1)


net = Net()
optimiser = torch.optim.Adam(net.parameters())
net(torch.ones(2, 2)).sum().backward()
optimiser.step()
torch.save({"net": net.state_dict(), "optimiser": optimiser.state_dict(), "epoch": 3, "runs": [Run(0.5)]}, "all.pt")
kept = torch.load("all.pt", weights_only=False)
net.load_state_dict(kept["net"])
torch.save(net, "net.pt")
print(torch.load("net.pt", weights_only=False), kept["epoch"], kept["runs"])
np.save("things.npy", np.array([Run(1.0), "a", None, {1, 2}], dtype=object))
print(np.load("things.npy", allow_pickle=True)[0])
# %% extra
table = pd.DataFrame({"kind": pd.Categorical(list("aba")), "day": pd.date_range("2024-01-01", periods=3), "x": [1.0, 2.0, 3.0]})
table.set_index("day").to_pickle("table.pkl")
print(pd.read_pickle("table.pkl"))
X, y = load_iris(return_X_y=True)
forest = RandomForestClassifier(5, n_jobs=2, random_state=0).fit(X, y)
joblib.dump(forest, "forest.joblib")
print(joblib.load("forest.joblib").score(X, y) > 0.9)
# %% extra
print(sum(squares.sum() for _, squares in DataLoader(Squares(), batch_size=2, num_workers=1)))


def cube(x):
    return Run(x**3)


with ProcessPoolExecutor(1) as pool:
    print(list(pool.map(cube, range(3))))
# %% extra
print(joblib.Parallel(n_jobs=2)(joblib.delayed(abs)(-i) for i in range(3)))
