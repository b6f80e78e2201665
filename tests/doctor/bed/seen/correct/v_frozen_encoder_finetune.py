# expect: nothing
"""Pretrain a GRU encoder, freeze most of it, fine-tune with a very small rate for the old layer."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(3)


def data(n, classes):
    seq = torch.randint(0, 12, (n, 10))
    score = (seq % 6).float().mean(1)
    cuts = {2: [2.5], 3: [2.2, 2.8]}[classes]
    return TensorDataset(seq, torch.bucketize(score, torch.tensor(cuts)))


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(12, 12)
        self.gru = nn.GRU(12, 32, batch_first=True)

    def forward(self, seq):
        return self.gru(self.emb(seq))[1][-1]


def run(model, train, optimizer, epochs):
    for _ in range(epochs):
        model.train()
        for seq, label in DataLoader(train, batch_size=50, shuffle=True):
            optimizer.zero_grad(set_to_none=True)
            loss = nn.functional.cross_entropy(model(seq), label)
            loss.backward()
            optimizer.step()
    return loss.item()


@torch.inference_mode()
def score(model, test):
    model.eval()
    seq, label = test.tensors
    return (model(seq).argmax(1) == label).float().mean().item()


encoder = Encoder()
pretrained = nn.Sequential(encoder, nn.Linear(32, 2))
run(pretrained, data(1200, 2), torch.optim.Adam(pretrained.parameters(), lr=5e-3), 12)
print(f"source task accuracy {score(pretrained, data(300, 2)):.3f}")

encoder.emb.requires_grad_(False)
tuned = nn.Sequential(encoder, nn.Linear(32, 3))
optimizer = torch.optim.AdamW(
    [
        {"params": encoder.gru.parameters(), "lr": 2e-5, "weight_decay": 0.0},
        {"params": tuned[1].parameters(), "lr": 1e-2},
    ]
)
loss = run(tuned, data(500, 3), optimizer, 15)
print(f"target task loss {loss:.4f} accuracy {score(tuned, data(300, 3)):.3f}")
