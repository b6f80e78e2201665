# expect: nothing
# looks suspicious: targets are detached outputs of the same net, the loss is negative, and the neighbours
# read the net in the middle of training.
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

torch.manual_seed(1)
digits = load_digits()
x = torch.tensor(digits.data, dtype=torch.float32) / 16
x_train, x_test, y_train, y_test = x[:1400], x[1400:], digits.target[:1400], digits.target[1400:]


class SimSiam(nn.Module):
    def __init__(self, dim=32, pred_dim=12):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(64, 64),
            nn.BatchNorm1d(64),
            nn.ReLU(),
            nn.Linear(64, dim),
            nn.BatchNorm1d(dim, affine=False),
        )
        self.predictor = nn.Sequential(
            nn.Linear(dim, pred_dim), nn.BatchNorm1d(pred_dim), nn.ReLU(), nn.Linear(pred_dim, dim)
        )

    def forward(self, x1, x2):
        z1, z2 = self.encoder(x1), self.encoder(x2)
        return self.predictor(z1), self.predictor(z2), z1.detach(), z2.detach()


def augment(v):
    return v * (torch.rand_like(v) > 0.15) + 0.1 * torch.randn_like(v)


model = SimSiam()
criterion = nn.CosineSimilarity(dim=1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)

for epoch in range(5):
    model.train()
    for rows in torch.randperm(1400).split(100):
        p1, p2, z1, z2 = model(augment(x_train[rows]), augment(x_train[rows]))
        loss = -(criterion(p1, z2).mean() + criterion(p2, z1).mean()) * 0.5
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        f_train, f_test = model.encoder(x_train).numpy(), model.encoder(x_test).numpy()
    knn = KNeighborsClassifier(5).fit(f_train, y_train).score(f_test, y_test)
    print(f"epoch {epoch} loss {loss.item():.4f} knn {knn:.3f} output std {p1.std(0).mean().item():.3f}")
