# expect: nothing
# looks suspicious: losses and outputs of every batch are kept in lists over the whole run: all of them
# detached, so no graph stays alive; they make the training curve and a confusion matrix.
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.preprocessing import StandardScaler
from torch import nn

torch.manual_seed(0)
wine = load_wine()
fit, check = next(StratifiedShuffleSplit(1, test_size=0.3, random_state=4).split(wine.data, wine.target))
scaler = StandardScaler().fit(wine.data[fit])
x = torch.tensor(scaler.transform(wine.data), dtype=torch.float32)
y = torch.tensor(wine.target)
fit, check = torch.tensor(fit), torch.tensor(check)

model = nn.Sequential(nn.Linear(13, 20), nn.ReLU(), nn.Linear(20, 3))
optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3)
history, outputs, truths = [], [], []
total = torch.zeros(())
for _epoch in range(12):
    for rows in fit[torch.randperm(len(fit))].split(16):
        logits = model(x[rows])
        loss = nn.functional.cross_entropy(logits, y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.detach())
        total += loss.detach()
        outputs.append(logits.detach().clone())
        truths.append(y[rows])

curve = torch.stack(history).view(12, -1).mean(1)
print("curve", [round(v, 3) for v in curve.tolist()], "mean", (total / len(history)).item())
seen, truth = torch.cat(outputs).argmax(1), torch.cat(truths)
confusion = torch.zeros(3, 3, dtype=torch.long)
confusion.index_put_((truth, seen), torch.ones_like(truth), accumulate=True)
print("during training\n", confusion)
model.eval()
with torch.no_grad():
    print("held out accuracy", (model(x[check]).argmax(1) == y[check]).float().mean().item())
