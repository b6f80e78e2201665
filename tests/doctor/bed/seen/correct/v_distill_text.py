# expect: nothing
"""Knowledge distillation from a wide text model into a small one with soft targets at temperature 3."""
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(5)
VOCAB, T = 90, 3.0


def corpus(n):
    y = torch.randint(0, 3, (n,))
    own = torch.randint(0, 30, (n, 12)) + 30 * y[:, None]
    return TensorDataset(torch.where(torch.rand(n, 12) < 0.3, own, torch.randint(0, VOCAB, (n, 12))), y)


class Text(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.emb = nn.EmbeddingBag(VOCAB, dim)
        self.fc = nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Dropout(0.1), nn.Linear(dim, 3))

    def forward(self, ids):
        return self.fc(self.emb(ids))


def supervised(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


def distilled(student, batch, teacher):
    with torch.no_grad():
        soft = F.softmax(teacher(batch[0]) / T, dim=-1)
    out = student(batch[0])
    kd = F.kl_div(F.log_softmax(out / T, dim=-1), soft, reduction="batchmean") * T * T
    return 0.7 * kd + 0.3 * F.cross_entropy(out, batch[1])


def fit(model, loader, objective, epochs):
    opt = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(epochs):
        model.train()
        for batch in loader:
            loss = objective(model, batch)
            opt.zero_grad()
            loss.backward()
            opt.step()
    return model.eval()


@torch.no_grad()
def accuracy(model, data):
    ids, y = data.tensors
    return (model(ids).argmax(-1) == y).float().mean().item()


loader, test = DataLoader(corpus(1500), batch_size=50, shuffle=True), corpus(400)
teacher = fit(Text(48), loader, supervised, 10).requires_grad_(False)
student = fit(Text(6), loader, lambda m, b: distilled(m, b, teacher), 12)
print(f"teacher {accuracy(teacher, test):.3f} student {accuracy(student, test):.3f}")
