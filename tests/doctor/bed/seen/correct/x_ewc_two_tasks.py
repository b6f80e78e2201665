# expect: nothing
# looks suspicious: row by row backward in eval mode with no step (Fisher information is gathered), tasks come
# in blocks (one after the other), the penalty compares weights with their detached copies.
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
digits = load_digits()
images, labels = torch.tensor(digits.data, dtype=torch.float32) / 16, torch.tensor(digits.target)
tasks = [torch.arange(64), torch.randperm(64, generator=torch.Generator().manual_seed(5))]
train_rows, test_rows = torch.randperm(len(images)).split([1400, len(images) - 1400])


class EWC:
    def __init__(self, model, dataset):
        self.model, self.dataset = model, dataset
        self.params = {n: p for n, p in self.model.named_parameters() if p.requires_grad}
        self._means = {n: p.clone().detach() for n, p in self.params.items()}
        self._precision_matrices = self._diag_fisher()

    def _diag_fisher(self):
        precision_matrices = {n: torch.zeros_like(p) for n, p in self.params.items()}
        self.model.eval()
        for input in self.dataset:
            self.model.zero_grad()
            output = self.model(input.unsqueeze(0))
            label = output.max(1)[1].view(-1)
            F.nll_loss(F.log_softmax(output, dim=1), label).backward()
            for n, p in self.params.items():
                precision_matrices[n] += p.grad.detach() ** 2 / len(self.dataset)
        return precision_matrices

    def penalty(self):
        loss = 0.0
        for n, p in self.params.items():
            loss = loss + (self._precision_matrices[n] * (p - self._means[n]) ** 2).sum()
        return loss


def train(model, optimizer, permutation, ewc=None, importance=20.0):
    model.train()
    epoch_loss = 0.0
    for rows in train_rows[torch.randperm(len(train_rows))].split(64):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images[rows][:, permutation]), labels[rows])
        if ewc is not None:
            loss = loss + importance * ewc.penalty()
        epoch_loss += loss.item()
        loss.backward()
        optimizer.step()
    return epoch_loss / 22


def test(model, permutation):
    model.eval()
    with torch.no_grad():
        output = model(images[test_rows][:, permutation])
    return (output.argmax(1) == labels[test_rows]).float().mean().item()


model = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.5)
for _ in range(6):
    loss = train(model, optimizer, tasks[0])
print(f"task A: loss {loss:.4f} accuracy {test(model, tasks[0]):.3f}")
old = images[train_rows[torch.randperm(len(train_rows))[:60]]]
ewc = EWC(model, old)
for epoch in range(6):
    loss = train(model, optimizer, tasks[1], ewc)
    print(
        f"task B epoch {epoch}: loss {loss:.4f} B {test(model, tasks[1]):.3f} A {test(model, tasks[0]):.3f}"
    )
