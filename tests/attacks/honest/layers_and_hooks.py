# Layers with buffers, hooks, state, weights shared and copied, and a module found by its name.
# %% extra
import copy

from torch import nn


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.register_buffer("mean", torch.zeros(2))
        self.register_parameter("gain", nn.Parameter(torch.ones(2)))
        self.seen = []
        self.layer.register_forward_hook(self._remember)
        self.gain.register_hook(lambda grad: grad * 1.0)

    def _remember(self, module, inputs, output):
        self.seen.append(output.detach())

    def forward(self, x):
        return getattr(torch, "relu")(self.layer(x - self.mean)) * self.gain

    def extra_repr(self):
        return f"gain={self.gain.shape}"


net = Scaled()
net.layer.register_full_backward_hook(lambda module, grads, out: None)
net(torch.ones(1, 2)).sum().backward()
twin = copy.deepcopy(net)
twin.load_state_dict(net.state_dict(), strict=True)
net.apply(lambda m: nn.init.zeros_(m.weight) if type(m) is nn.Linear else None)
print(twin, [name for name, _ in net.named_parameters()], len(net.seen), torch.equal(twin.mean, net.mean))
torch.save(twin.layer.weight, "weight.pt")
print(torch.load("weight.pt", weights_only=False).shape)
# %% relu
class Relu(nn.Module):
    def forward(self, t):
        return t.relu()


relu = Relu()
