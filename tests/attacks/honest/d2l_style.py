# The way of the book: add_to_class, HyperParameters, ProgressBoard, d2l's modules and trainers.
# %% extra
from d2l import torch as d2l


class A(d2l.HyperParameters):
    def __init__(self, a, b):
        self.save_hyperparameters(ignore=["b"])


@d2l.add_to_class(A)
def show(self):
    return self.a


class LinearRegression(d2l.Module):
    def __init__(self, lr):
        super().__init__()
        self.save_hyperparameters()
        self.net = torch.nn.LazyLinear(1)

    def forward(self, X):
        return self.net(X)

    def loss(self, y_hat, y):
        return torch.nn.functional.mse_loss(y_hat, y)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), self.lr)


model = LinearRegression(lr=0.03)
data = d2l.SyntheticRegressionData(w=torch.tensor([2, -3.4]), b=4.2)
trainer = d2l.Trainer(max_epochs=1)
trainer.fit(model, data)
print(A(1, 2).show())
