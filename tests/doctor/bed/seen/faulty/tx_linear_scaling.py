# expect: lr_too_high @ 61
# allowed: lr_too_high @ 47
# allowed: lr_too_high @ 62
"""Sorting short token sequences into four made-up grammars with a tiny Transformer encoder; lr follows the batch size."""
import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F

VOCAB, LENGTH, CLASSES = 12, 16, 4


def make_sequences(n, gen):
    """The class tells which of four marker tokens occurs twice; every other marker occurs at most once."""
    labels = torch.randint(0, CLASSES, (n,), generator=gen)
    tokens = torch.randint(CLASSES, VOCAB, (n, LENGTH), generator=gen)
    for row, label in zip(tokens, labels.tolist()):
        places = torch.randperm(LENGTH, generator=gen)
        row[places[:2]] = label
        distractor = int(torch.randint(0, CLASSES, (1,), generator=gen))
        if distractor != label:
            row[places[2]] = distractor
    return tokens, labels


class TokenClassifier(nn.Module):
    def __init__(self, dim=32, heads=4, layers=2):
        super().__init__()
        self.tok = nn.Embedding(VOCAB, dim)
        self.pos = nn.Parameter(torch.randn(1, LENGTH, dim) * 0.02)
        layer = nn.TransformerEncoderLayer(dim, heads, dim_feedforward=64, dropout=0.0,
                                           batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, CLASSES)

    def forward(self, tokens):
        h = self.encoder(self.tok(tokens) + self.pos)
        return self.head(self.norm(h).mean(dim=1))


def get_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--base-lr", type=float, default=1e-2, help="learning rate for a batch of 256")
    parser.add_argument("--weight-decay", type=float, default=1e-2)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args([])


def main():
    args = get_args()
    torch.manual_seed(args.seed)
    gen = torch.Generator().manual_seed(args.seed + 100)
    x_train, y_train = make_sequences(1600, gen)
    x_test, y_test = make_sequences(400, gen)

    model = TokenClassifier()
    lr = args.base_lr * args.batch_size
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=args.weight_decay)
    steps = args.epochs * (len(x_train) // args.batch_size)
    warmup = steps // 10
    scheduler = torch.optim.lr_scheduler.SequentialLR(optimizer, milestones=[warmup], schedulers=[
        torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=warmup),
        torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps - warmup)])

    for epoch in range(args.epochs):
        model.train()
        total = 0.0
        for idx in torch.randperm(len(x_train)).split(args.batch_size):
            loss = F.cross_entropy(model(x_train[idx]), y_train[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            total += loss.item() * len(idx)
        print(f"epoch {epoch + 1}  loss {total / len(x_train):.4f}")

    model.eval()
    with torch.no_grad():
        accuracy = (model(x_test).argmax(dim=-1) == y_test).float().mean().item()
    print(f"test accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()
