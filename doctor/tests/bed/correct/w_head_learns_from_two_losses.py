# expect: nothing
# looks suspicious: the head holds gradients of the first loss while the encoder steps, and sums its own onto
# them; both losses want the same, and the head is to follow both.
import torch
from torch import nn

torch.manual_seed(3)
x = torch.randn(600, 9)
y = x[:, :3].sum(1, keepdim=True) + 0.1 * torch.randn(600, 1)
encoder, head = nn.Sequential(nn.Linear(9, 32), nn.ReLU()), nn.Linear(32, 1)
slow, fast = torch.optim.Adam(encoder.parameters(), lr=1e-3), torch.optim.Adam(head.parameters(), lr=4e-3)
for step in range(150):
    rows, stored = torch.randperm(600)[:64], torch.randperm(600)[:64]
    slow.zero_grad()
    fast.zero_grad()
    loss = nn.functional.mse_loss(head(encoder(x[rows])), y[rows])
    loss.backward()
    slow.step()
    replay = nn.functional.mse_loss(head(encoder(x[stored]).detach()), y[stored])
    replay.backward()
    fast.step()
    if step % 50 == 0:
        print(step, round(loss.item(), 4), round(replay.item(), 4))
