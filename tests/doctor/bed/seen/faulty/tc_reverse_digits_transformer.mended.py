# expect: nothing
"""Sequence to sequence: a small Transformer learns to turn round a row of ten digits."""
import torch
import torch.nn.functional as F
from torch import nn

DIGITS, LENGTH = 10, 10


class Reverser(nn.Module):
    def __init__(self, dim=48, heads=4, layers=2):
        super().__init__()
        self.token = nn.Embedding(DIGITS, dim)
        self.place = nn.Parameter(torch.randn(LENGTH, dim))
        layer = nn.TransformerEncoderLayer(dim, heads, 2 * dim, dropout=0.0, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(dim)
        self.out = nn.Linear(dim, DIGITS)

    def forward(self, tokens):
        h = self.encoder(self.token(tokens) + self.place)
        return self.out(self.norm(h))


def endless(generator, batch):
    while True:
        rows = torch.randint(0, DIGITS, (batch, LENGTH), generator=generator)
        yield rows, rows.flip(1)


def sequence_loss(logits, target):
    return F.cross_entropy(logits.transpose(1, 2), target)


@torch.no_grad()
def evaluate(model, source, target):
    model.eval()
    logits = model(source)
    guess = logits.argmax(dim=2)
    per_digit = (guess == target).float().mean().item()
    whole = (guess == target).all(dim=1).float().mean().item()
    return sequence_loss(logits, target).item(), per_digit, whole


def main(steps=250):
    torch.manual_seed(8)
    model = Reverser()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    warmup = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: min(1.0, (s + 1) / 40))
    train_rows = endless(torch.Generator().manual_seed(1), batch=48)
    test_source, test_target = next(endless(torch.Generator().manual_seed(2), batch=400))

    for step, (source, target) in zip(range(1, steps + 1), train_rows):
        model.train()
        loss = sequence_loss(model(source), target)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        warmup.step()
        if step % 50 == 0:
            print(f"step {step}: train loss {loss.item():.4f}")

    loss, per_digit, whole = evaluate(model, test_source, test_target)
    print(f"test loss {loss:.4f}, digits right {per_digit:.3f}, rows right {whole:.3f}")


if __name__ == "__main__":
    main()
