# expect: params_not_in_optimizer @ 37
# allowed: params_not_in_optimizer @ 33
# mend: 33 →     else:
"""Token classification of toy sequences; weight decay only where it belongs, it was hoped."""

import torch
from torch import nn

torch.manual_seed(11)
VOCAB, LENGTH, N = 24, 12, 640
tokens = torch.randint(1, VOCAB, (N, LENGTH))
target = (tokens < 8).sum(1).clamp(0, 5) // 2
train_x, train_y, valid_x, valid_y = tokens[:512], target[:512], tokens[512:], target[512:]


class Classifier(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.embed = nn.Embedding(VOCAB, width)
        layer = nn.TransformerEncoderLayer(width, 4, 64, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1)
        self.head = nn.Linear(width, 3)

    def forward(self, ids):
        return self.head(self.encoder(self.embed(ids)).mean(1))


model = Classifier()
decay, plain = [], []
for name, p in model.named_parameters():
    if name.startswith("encoder") and p.ndim > 1:
        decay.append(p)
    elif name.startswith(("encoder", "head")):
        plain.append(p)
optimizer = torch.optim.AdamW(
    [{"params": decay, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}], lr=2e-3
)
criterion = nn.CrossEntropyLoss()

for epoch in range(4):
    model.train()
    shuffled = torch.randperm(512)
    for part in shuffled.chunk(16):
        optimizer.zero_grad()
        loss = criterion(model(train_x[part]), train_y[part])
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        scores = model(valid_x)
        acc = (scores.argmax(1) == valid_y).float().mean()
        print(f"[{epoch}] valid loss {criterion(scores, valid_y):.3f} acc {acc:.3f}")
