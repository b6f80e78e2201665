# expect: nothing
# looks suspicious: [B, 1] minus [1, B] broadcasts to a matrix on purpose: every pair of the batch is
# compared (RankNet).
import torch
import torch.nn.functional as F
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

torch.manual_seed(0)
X, y = load_diabetes(return_X_y=True)
X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.25, random_state=0)
mu, sd = X_tr.mean(0), X_tr.std(0)
X_tr, X_te = (torch.tensor((a - mu) / sd, dtype=torch.float32) for a in (X_tr, X_te))
y_tr, y_te = (torch.tensor(a, dtype=torch.float32) for a in (y_tr, y_te))


def pairwise_loss(score, relevance):
    diff = score[:, None] - score[None, :]
    better = (relevance[:, None] > relevance[None, :]).float()
    return (F.softplus(-diff) * better).sum() / better.sum()


@torch.no_grad()
def concordance(model, x, rel):
    s = model(x).squeeze(1)
    agree = ((s[:, None] > s[None, :]) & (rel[:, None] > rel[None, :])).sum()
    return (agree / (rel[:, None] > rel[None, :]).sum()).item()


model = torch.nn.Sequential(torch.nn.Linear(10, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
opt = torch.optim.Adam(model.parameters(), lr=5e-3, weight_decay=1e-3)
for epoch in range(10):
    for rows in torch.randperm(len(y_tr)).split(40):
        opt.zero_grad()
        loss = pairwise_loss(model(X_tr[rows]).squeeze(1), y_tr[rows])
        loss.backward()
        opt.step()
    if epoch % 3 == 0:
        print(epoch, f"loss {loss.item():.4f} concordance {concordance(model, X_tr, y_tr):.4f}")
print("test concordance", concordance(model, X_te, y_te))
