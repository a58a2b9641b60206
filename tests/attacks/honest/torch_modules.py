# Modules with hooks, no_grad decorators, parameters, state dicts, buffers and saving.
# %% extra
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, width), nn.ReLU(), nn.Dropout(0.1))
        self.head = nn.Linear(width, 1)
        self._calls = 0
        self.register_buffer("scale", torch.ones(1))

    def forward(self, x):
        self._calls += 1
        return self.head(self.body(x)) * self.scale


net = Net()
shapes = []
handle = net.head.register_forward_hook(lambda module, inputs, output: shapes.append((module.__class__.__name__, output.shape)))
optimiser = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
for step in range(20):
    loss = F.mse_loss(net(torch.randn(16, 2)), torch.zeros(16, 1))
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
handle.remove()
for module in net.modules():
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        module.bias.data.fill_(0.01)
torch.save(net.state_dict(), "net.pt")
net.load_state_dict(torch.load("net.pt"))


@torch.no_grad()
def evaluate(model, x):
    model.eval()
    return model(x).mean().item()


print(evaluate(net, torch.ones(2, 2)), net, sum(p.numel() for p in net.parameters()))
# %% relu
class Relu(torch.autograd.Function):
    @staticmethod
    def forward(ctx, t):
        ctx.save_for_backward(t)
        return t.clamp(min=0)

    @staticmethod
    def backward(ctx, grad):
        (t,) = ctx.saved_tensors
        return grad * (t > 0)


def relu(t):
    return Relu.apply(t)
