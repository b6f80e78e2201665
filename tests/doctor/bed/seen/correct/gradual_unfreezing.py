# expect: nothing
# looks suspicious: at first the lower layers are in no optimizer, later they join through add_param_group
# with far lower learning rates (1e-4): discriminative fine-tuning.
import torch
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler
from torch import nn

torch.manual_seed(2)
wine = load_wine()
perm = torch.randperm(178)
tr, te = perm[:130], perm[130:]
X = torch.tensor(StandardScaler().fit(wine.data[tr]).transform(wine.data), dtype=torch.float32)
Y = torch.tensor(wine.target)
model = nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 3))


def epoch_of(opt, target):
    model.train()
    total = 0.0
    for rows in tr[torch.randperm(len(tr))].split(13):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(X[rows]), target[rows])
        loss.backward()
        opt.step()
        total += loss.item() / 10
    return total


# pretraining on a neighbouring task: is the wine of the first cultivar?
pre = torch.optim.Adam(model.parameters(), lr=5e-3)
easy = (Y == 0).long()
for _ in range(8):
    loss = epoch_of(pre, easy)
print(f"pretrained, loss {loss:.4f}")

model[4] = nn.Linear(16, 3)
model[:4].requires_grad_(False)
opt = torch.optim.Adam(model[4].parameters(), lr=1e-2)
schedule = {4: (model[2], 1e-3), 8: (model[0], 1e-4)}
for epoch in range(14):
    if epoch in schedule:
        layer, lr = schedule[epoch]
        layer.requires_grad_(True)
        opt.add_param_group({"params": layer.parameters(), "lr": lr})
    loss = epoch_of(opt, Y)
    if epoch % 3 == 1:
        print(f"epoch {epoch} groups {len(opt.param_groups)} loss {loss:.4f}")
model.eval()
with torch.no_grad():
    print("accuracy", (model(X[te]).argmax(1) == Y[te]).float().mean().item())
