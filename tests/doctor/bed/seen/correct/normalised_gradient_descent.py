# expect: nothing
# looks suspicious: the clipping threshold is far below every gradient norm, so each step is clipped; with a
# learning rate chosen for unit-length steps this is normalised gradient descent and it arrives.
import torch
from sklearn.datasets import make_circles
from torch import nn

torch.manual_seed(0)
X, y = make_circles(600, noise=0.08, factor=0.5, random_state=0)
X, y = torch.tensor(X, dtype=torch.float32) * 1.5, torch.tensor(y, dtype=torch.float32)
net = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 1))
steps, first_length = 300, 0.3
opt = torch.optim.SGD(net.parameters(), lr=first_length / 0.01)
sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda s: 1 - s / steps)

for step in range(steps):
    rows = torch.randint(500, (125,))
    opt.zero_grad()
    loss = nn.functional.binary_cross_entropy_with_logits(net(X[rows]).squeeze(1), y[rows])
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 0.01)
    opt.step()
    sched.step()
    if step % 60 == 0:
        print(step, f"{loss.item():.4f}")
with torch.no_grad():
    print("test accuracy", ((net(X[500:]).squeeze(1) > 0) == y[500:].bool()).float().mean().item())
