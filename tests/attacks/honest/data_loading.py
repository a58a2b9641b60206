# A Dataset, a DataLoader with two workers, random_split and transforms.
# %% extra
from torch.utils.data import DataLoader, Dataset, TensorDataset, random_split


class Squares(Dataset):
    def __init__(self, n):
        self.x = torch.arange(n, dtype=torch.float32)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i], self.x[i] ** 2


total = 0.0
for x, y in DataLoader(Squares(32), batch_size=8, shuffle=True, num_workers=2):
    total += float(y.sum())
train, test = random_split(TensorDataset(torch.zeros(10, 1)), [8, 2])
print(total, len(train), len(test))
