# expect: nothing
# looks suspicious: the model ends in Softmax and the loss is nll_loss: the logarithm is taken in between.
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
x, y = (torch.tensor(v) for v in load_digits(return_X_y=True))
x = (x / 16).float()
model = nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10), nn.Softmax(dim=1))
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
order = torch.randperm(len(x))
train, test = order[:1500], order[1500:]

for epoch in range(6):
    for rows in train[torch.randperm(1500)].split(50):
        probs = model(x[rows])
        loss = F.nll_loss(torch.log(probs.clamp_min(1e-12)), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch}: {loss.item():.4f}")

with torch.no_grad():
    probs = model(x[test])
print(
    "accuracy",
    (probs.argmax(1) == y[test]).float().mean().item(),
    "confidence",
    probs.max(1).values.mean().item(),
)
