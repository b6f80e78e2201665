# expect: nothing
"""Deep mutual learning: two peers teach each other (bfloat16 autocast, accumulation, one optimizer per peer)."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

SEQ, VOCAB, N_CLASS = 16, 20, 4


class OrderTask(Dataset):
    """Variable-length token lists; the class is the residue of the count of 'marker' tokens, capped at 3."""

    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        self.items = []
        for i in range(n):
            target = i % N_CLASS
            length = int(torch.randint(8, SEQ + 1, (1,), generator=g))
            toks = torch.randint(5, VOCAB, (length,), generator=g)
            where = torch.randperm(length, generator=g)[:target]
            toks[where] = torch.randint(1, 5, (target,), generator=g)
            self.items.append((toks, target))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


def collate(items):
    toks, ys = zip(*items)
    padded = nn.utils.rnn.pad_sequence(toks, batch_first=True)  # 0 = padding
    return padded, torch.tensor(ys)


class Pooler(nn.Module):
    def __init__(self, dim, p):
        super().__init__()
        self.emb = nn.Embedding(VOCAB, dim, padding_idx=0)
        self.gate = nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.Linear(dim, dim))
        self.out = nn.Sequential(nn.LayerNorm(dim), nn.Dropout(p), nn.Linear(dim, N_CLASS))

    def forward(self, t):
        mask = (t > 0).unsqueeze(-1)
        return self.out((self.gate(self.emb(t)) * mask).sum(1))


class Peer:
    def __init__(self, net, lr):
        self.net = net
        self.opt = torch.optim.AdamW(net.parameters(), lr=lr, weight_decay=0.01)
        self.loss_sum, self.seen = 0.0, 0

    def backward(self, logits, other_logits, y, scale):
        """The other peer is a fixed teacher here, hence the detach."""
        hint = F.log_softmax(other_logits.detach().float(), dim=-1)
        logits = logits.float()
        kl = F.kl_div(F.log_softmax(logits, dim=-1), hint, reduction="batchmean", log_target=True)
        loss = F.cross_entropy(logits, y) + kl
        (loss * scale).backward()
        self.loss_sum += loss.item() * len(y)
        self.seen += len(y)

    def step(self):
        nn.utils.clip_grad_norm_(self.net.parameters(), 2.0)
        self.opt.step()
        self.opt.zero_grad(set_to_none=True)

    def flush(self):
        mean, self.loss_sum, self.seen = self.loss_sum / self.seen, 0.0, 0
        return mean


def train_epoch(peers, loader, accum):
    for p in peers:
        p.net.train()
    n = len(loader)
    for i, (t, y) in enumerate(loader):
        group = min(accum, n - (i // accum) * accum)  # the last group may be smaller
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = [p.net(t) for p in peers]
        peers[0].backward(out[0], out[1], y, 1.0 / group)
        peers[1].backward(out[1], out[0], y, 1.0 / group)
        if (i + 1) % accum == 0 or i + 1 == n:
            for p in peers:
                p.step()
    return [p.flush() for p in peers]


@torch.inference_mode()
def evaluate(nets, loader):
    for net in nets:
        net.eval()
    right, total = 0, 0
    for t, y in loader:
        mean_prob = torch.stack([net(t).softmax(-1) for net in nets]).mean(0)
        right += (mean_prob.argmax(-1) == y).sum().item()
        total += y.numel()
    return right / total


def main():
    torch.manual_seed(10)
    train_dl = DataLoader(OrderTask(1500, 1), batch_size=32, shuffle=True, collate_fn=collate)
    test_dl = DataLoader(OrderTask(400, 2), batch_size=200, collate_fn=collate)
    peers = [Peer(Pooler(24, 0.1), 8e-3), Peer(Pooler(40, 0.2), 5e-3)]
    for epoch in range(6):
        a, b = train_epoch(peers, train_dl, accum=2)
        print(f"epoch {epoch}: peer A {a:.4f} peer B {b:.4f}")
    accs = [evaluate([p.net], test_dl) for p in peers]
    both = evaluate([p.net for p in peers], test_dl)
    print(f"test accuracy: A {accs[0]:.3f} B {accs[1]:.3f} averaged {both:.3f}")


if __name__ == "__main__":
    main()
