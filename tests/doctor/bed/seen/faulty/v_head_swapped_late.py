# expect: params_not_in_optimizer @ 38
# allowed: params_not_in_optimizer @ 48
"""Pretrain a GRU on one sequence task, then adapt it to another with a new output layer."""
import torch
import torch.nn as nn
import torch.nn.functional as F

gen = torch.Generator().manual_seed(4)
torch.manual_seed(4)


def sequences(n, classes):
    seq = torch.randint(0, 10, (n, 9), generator=gen)
    score = seq.float().mean(1)
    cuts = torch.linspace(2.9, 6.1, classes - 1) if classes > 2 else torch.tensor([4.5])
    return seq, torch.bucketize(score, cuts)


class Reader(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.embed = nn.Embedding(10, 12)
        self.rnn = nn.GRU(12, 24, batch_first=True)
        self.head = nn.Linear(24, classes)

    def forward(self, seq):
        _, h = self.rnn(self.embed(seq))
        return self.head(h[-1])


class Learner:
    def __init__(self, model, lr=5e-3):
        self.model = model
        self.opt = torch.optim.Adam(model.parameters(), lr=lr)

    def new_task(self, classes):
        hidden = self.model.head.in_features
        self.model.head = nn.Linear(hidden, classes)
        return self

    def fit(self, seq, label, epochs, batch=40):
        self.model.train()
        for _ in range(epochs):
            for idx in torch.randperm(len(seq)).split(batch):
                self.opt.zero_grad(set_to_none=True)
                loss = F.cross_entropy(self.model(seq[idx]), label[idx])
                loss.backward()
                self.opt.step()
        return loss.item()

    @torch.no_grad()
    def score(self, seq, label):
        self.model.eval()
        return (self.model(seq).argmax(1) == label).float().mean().item()


learner = Learner(Reader(2))
a_train, a_test = sequences(600, 2), sequences(200, 2)
print(f"task A loss {learner.fit(*a_train, epochs=8):.4f} acc {learner.score(*a_test):.3f}")
learner.new_task(5)
b_train, b_test = sequences(600, 5), sequences(200, 5)
for rnd in range(3):
    loss = learner.fit(*b_train, epochs=6)
    print(f"task B round {rnd} loss {loss:.4f} acc {learner.score(*b_test):.3f}")
