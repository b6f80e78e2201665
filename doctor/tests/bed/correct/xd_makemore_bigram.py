# expect: nothing
# makemore-like: one-hot bigram model with hand-written softmax and negative log likelihood
import torch
import torch.nn.functional as F

g = torch.Generator().manual_seed(2147483647)
syllables = ["ka", "mi", "ro", "ta", "len", "so", "vi", "an", "el", "du", "ne", "or"]

# invent distinct names out of 2-3 syllables
words = set()
while len(words) < 300:
    n = int(torch.randint(2, 4, (1,), generator=g))
    words.add("".join(syllables[i] for i in torch.randint(0, len(syllables), (n,), generator=g)))
words = sorted(words)
perm = torch.randperm(len(words), generator=g).tolist()
words = [words[i] for i in perm]
train_words, dev_words = words[:240], words[240:]

chars = sorted(set("".join(syllables)))
stoi = {c: i + 1 for i, c in enumerate(chars)}
stoi["."] = 0
itos = {i: c for c, i in stoi.items()}
V = len(stoi)


def pairs(ws):
    xs, ys = [], []
    for w in ws:
        w = "." + w + "."
        for a, b in zip(w, w[1:]):
            xs.append(stoi[a])
            ys.append(stoi[b])
    return torch.tensor(xs), torch.tensor(ys)


xs, ys = pairs(train_words)
xd, yd = pairs(dev_words)
W = torch.randn((V, V), generator=g, requires_grad=True)


def nll(x, y):
    logits = F.one_hot(x, num_classes=V).float() @ W
    logprobs = logits - logits.logsumexp(dim=1, keepdim=True)
    return -logprobs[torch.arange(len(y)), y].mean()


# full-batch gradient descent; logits of a bigram table stand a large rate
for k in range(200):
    loss = nll(xs, ys) + 0.001 * (W**2).mean()
    W.grad = None
    loss.backward()
    with torch.no_grad():
        W -= 10.0 * W.grad
    if k % 40 == 0:
        print(f"{k:4d} loss {loss.item():.4f}")

with torch.no_grad():
    print(f"train nll {nll(xs, ys).item():.4f}  dev nll {nll(xd, yd).item():.4f}")
    P = F.softmax(W, dim=1)
    for _ in range(4):
        out, ix = [], 0
        while True:
            ix = int(torch.multinomial(P[ix], 1, generator=g))
            if ix == 0 or len(out) > 20:
                break
            out.append(itos[ix])
        print("".join(out))
