# expect: nothing
# looks suspicious: 5 % positives without weights or a sampler: the classes separate well, what is asked for
# is a calibrated probability, and it is judged by average precision and recall, not accuracy.
import torch
from sklearn.datasets import make_classification
from sklearn.metrics import average_precision_score, recall_score
from sklearn.model_selection import train_test_split

torch.manual_seed(0)
X, y = make_classification(
    3000,
    8,
    n_informative=5,
    n_redundant=0,
    weights=[0.95],
    class_sep=2.5,
    flip_y=0,
    random_state=3,
    n_clusters_per_class=1,
)
Xtr, Xte, ytr, yte = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
mu, sd = Xtr.mean(0), Xtr.std(0)
Xtr, Xte = (torch.tensor((v - mu) / sd, dtype=torch.float32) for v in (Xtr, Xte))
target = torch.tensor(ytr, dtype=torch.float32)

net = torch.nn.Sequential(torch.nn.Linear(8, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
lossf = torch.nn.BCEWithLogitsLoss()
for epoch in range(8):
    total = 0.0
    for rows in torch.randperm(len(target)).split(100):
        opt.zero_grad()
        loss = lossf(net(Xtr[rows]).squeeze(1), target[rows])
        loss.backward()
        opt.step()
        total += loss.item() * len(rows)
    print(f"epoch {epoch} loss {total / len(target):.4f}")
with torch.no_grad():
    p = net(Xte).squeeze(1).sigmoid().numpy()
print(
    "average precision",
    round(average_precision_score(yte, p), 4),
    "recall",
    round(recall_score(yte, p > 0.5), 4),
)
print("mean probability", p.mean().round(4), "share of positives", yte.mean().round(4))
