# expect: nothing
"""Echo task with a GRU and truncated back-propagation: repeat the bit seen three steps ago (stateful training, state carried and cut)."""
import torch
import torch.nn as nn

LAG, CHUNK, STREAMS = 3, 16, 32


def bit_streams(streams, length, seed):
    g = torch.Generator().manual_seed(seed)
    bits = torch.randint(0, 2, (streams, length), generator=g)
    target = torch.full_like(bits, -100)
    target[:, LAG:] = bits[:, :-LAG]
    return bits, target


class Echo(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.embed = nn.Embedding(2, 8)
        self.gru = nn.GRU(8, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 2)
        self.hidden = hidden

    def initial(self, n):
        return torch.zeros(1, n, self.hidden)

    def forward(self, bits, state):
        features, state = self.gru(self.embed(bits), state)
        return self.out(features), state


def chunked(*tensors):
    return zip(*(t.split(CHUNK, dim=1) for t in tensors))


def train_epoch(model, optimizer, bits, target):
    model.train()
    criterion = nn.CrossEntropyLoss(ignore_index=-100)
    state = model.initial(len(bits))
    losses = []
    for x, y in chunked(bits, target):
        state = state.detach()
        logits, state = model(x, state)
        loss = criterion(logits.transpose(1, 2), y)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses).mean().item()


@torch.no_grad()
def evaluate(model, bits, target):
    model.eval()
    state, hits, count = model.initial(len(bits)), 0, 0
    for x, y in chunked(bits, target):
        logits, state = model(x, state)
        known = y != -100
        hits += (logits.argmax(-1)[known] == y[known]).sum().item()
        count += known.sum().item()
    return hits / count


if __name__ == "__main__":
    torch.manual_seed(10)
    train_bits, train_target = bit_streams(STREAMS, 40 * CHUNK, seed=1)
    test_bits, test_target = bit_streams(16, 10 * CHUNK, seed=2)
    model = Echo()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for epoch in range(6):
        print(f"epoch {epoch + 1}: loss {train_epoch(model, optimizer, train_bits, train_target):.4f}")
    print(f"test: bits echoed rightly {evaluate(model, test_bits, test_target):.4f}")
