# expect: target_broadcast @ 24
import torch, warnings
from torch import nn
torch.manual_seed(0)
net, old = (nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2)) for _ in range(2))
old.load_state_dict(net.state_dict())
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
criterion = nn.SmoothL1Loss()


def sample():
    s = torch.randn(32, 4)
    a = torch.randint(0, 2, (32, 1))
    r = (s[:, 0] * (a[:, 0] * 2 - 1)).tanh()
    return s, a, r, s + 0.1 * torch.randn(32, 4), torch.zeros(32)


for step in range(60):
    s, a, r, s2, done = sample()
    q = net(s).gather(1, a)
    with torch.no_grad():
        best = old(s2).max(1, keepdim=True).values

    goal = r + 0.9 * (1 - done) * best

    loss = criterion(q, goal)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 10 == 0: old.load_state_dict(net.state_dict())
