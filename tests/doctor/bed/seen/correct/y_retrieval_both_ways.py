# expect: nothing
# looks suspicious: argmax over dim 0 in the figure: the matrix is pictures by captions, and each caption
# looks for its picture as well.
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
images = torch.tensor(load_digits().images / 16).float()
images = images[torch.randperm(len(images))]
top, bottom = images[:, :4].flatten(1), images[:, 3:].flatten(1)
train = DataLoader(TensorDataset(top[:1500], bottom[:1500]), batch_size=100, shuffle=True)


def tower(inputs):
    return nn.Sequential(nn.Linear(inputs, 64), nn.ReLU(), nn.Linear(64, 24))


class TwoTowers(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = tower(32), tower(40)
        self.logit_scale = nn.Parameter(torch.tensor(2.0))

    def forward(self, a, b):
        a = nn.functional.normalize(self.a(a), dim=-1)
        b = nn.functional.normalize(self.b(b), dim=-1)
        return self.logit_scale.exp() * a @ b.T


model = TwoTowers()
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
for epoch in range(6):
    model.train()
    for a, b in train:
        similarity = model(a, b)
        target = torch.arange(len(a))
        loss = nn.functional.cross_entropy(similarity, target) / 2
        loss = loss + nn.functional.cross_entropy(similarity.T, target) / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
model.eval()
with torch.no_grad():
    similarity = model(top[1500:1600], bottom[1500:1600])
    target = torch.arange(100)
    a_to_b = (similarity.argmax(dim=1) == target).float().mean()
    b_to_a = (similarity.argmax(dim=0) == target).float().mean()
print(f"top to bottom {a_to_b:.2f}, bottom to top {b_to_a:.2f}, chance 0.01")
