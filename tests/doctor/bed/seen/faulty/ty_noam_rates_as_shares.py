# expect: scheduler_misuse @ 44
# allowed: lr_too_low @ 41
# allowed: lr_too_low @ 48
# allowed: lr_too_low @ 49
# allowed: scheduler_misuse @ 41
# allowed: lr_too_low @ 44
# allowed: scheduler_misuse @ 48
# allowed: scheduler_misuse @ 49
"""Tiny transformer encoder on the 'reverse the sequence' task with a Noam-like schedule."""
import torch
import torch.nn as nn
import torch.optim as optim

VOCAB, LEN, DIM = 12, 8, 32
PEAK_LR = 3e-3
WARMUP, TOTAL = 30, 300


class Reverser(nn.Module):
    def __init__(self):
        super().__init__()
        self.tok = nn.Embedding(VOCAB, DIM)
        self.pos = nn.Parameter(torch.randn(LEN, DIM))
        layer = nn.TransformerEncoderLayer(DIM, nhead=4, dim_feedforward=64, dropout=0.0,
                                           batch_first=True, norm_first=True)
        self.enc = nn.TransformerEncoder(layer, num_layers=2, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(DIM)
        self.out = nn.Linear(DIM, VOCAB)

    def forward(self, x):
        return self.out(self.norm(self.enc(self.tok(x) + self.pos)))


def stream(batch, gen):
    """endless stream of fresh random sequences"""
    while True:
        x = torch.randint(0, VOCAB, (batch, LEN), generator=gen)
        yield x, x.flip(1)


def rate(step):
    """linear warm-up to the peak, then inverse square root decay"""
    step = max(step, 1)
    return PEAK_LR * min(step / WARMUP, (WARMUP / step) ** 0.5)


def build(model):
    opt = optim.Adam(model.parameters(), lr=PEAK_LR, betas=(0.9, 0.98), eps=1e-9)
    sched = optim.lr_scheduler.LambdaLR(opt, lr_lambda=rate)
    return opt, sched


@torch.no_grad()
def token_accuracy(model, gen, n=200):
    model.eval()
    x, y = next(stream(n, gen))
    acc = (model(x).argmax(-1) == y).float().mean().item()
    model.train()
    return acc


def train():
    torch.manual_seed(1)
    model = Reverser()
    opt, sched = build(model)
    ce = nn.CrossEntropyLoss()
    data = stream(32, torch.Generator().manual_seed(10))
    held_out = torch.Generator().manual_seed(999)
    window = []
    for step in range(1, TOTAL + 1):
        x, y = next(data)
        logits = model(x)
        loss = ce(logits.reshape(-1, VOCAB), y.reshape(-1))
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        sched.step()
        window.append(loss.item())
        if step % 50 == 0:
            print(f"step {step:4d}  loss {sum(window) / len(window):.4f}  lr {sched.get_last_lr()[0]:.2e}")
            window.clear()
    print(f"held-out token accuracy {token_accuracy(model, held_out):.3f}")


if __name__ == "__main__":
    train()
