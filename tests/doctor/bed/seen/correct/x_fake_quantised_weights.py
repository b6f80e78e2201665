# expect: nothing
# looks suspicious: rounding has no gradient, so the difference to the rounded value is detached; integers
# enter the forward pass while floats are trained.
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


class RoundSTE(torch.autograd.Function):
    @staticmethod
    def forward(ctx, value, scale, qmin, qmax):
        q = torch.round(value / scale)
        ctx.save_for_backward((q >= qmin) & (q <= qmax))
        return q.clamp(qmin, qmax) * scale

    @staticmethod
    def backward(ctx, grad_output):
        (inside,) = ctx.saved_tensors
        return grad_output * inside, None, None, None


class QuantLinear(nn.Linear):
    def __init__(self, i, o, bits=4):
        super().__init__(i, o)
        self.qmax = 2 ** (bits - 1) - 1
        self.register_buffer("act_range", torch.tensor(1.0))

    def forward(self, x):
        scale = self.weight.detach().abs().max() / self.qmax
        w_q = RoundSTE.apply(self.weight, scale, -self.qmax, self.qmax)
        if self.training:
            self.act_range.mul_(0.9).add_(x.detach().abs().max(), alpha=0.1)
        s = self.act_range / 127
        x_q = x + ((x / s).round().clamp(-127, 127) * s - x).detach()
        return F.linear(x_q, w_q, self.bias)


def evaluate(net, x, y):
    net.eval()
    with torch.no_grad():
        correct = (net(x).argmax(dim=1) == y).float().mean().item()
    net.train()
    return correct


torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)
scaler = StandardScaler().fit(X_train)
X_train, X_test = (torch.tensor(scaler.transform(part), dtype=torch.float32) for part in (X_train, X_test))
y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)
net = nn.Sequential(QuantLinear(13, 32), nn.ReLU(), QuantLinear(32, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(20):
    for rows in torch.randperm(len(X_train)).split(31):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(X_train[rows]), y_train[rows])
        loss.backward()
        optimizer.step()
    if epoch % 5 == 0:
        print(
            f"epoch {epoch} loss {loss.item():.4f} accuracy with 4 bits {evaluate(net, X_test, y_test):.3f}"
        )
