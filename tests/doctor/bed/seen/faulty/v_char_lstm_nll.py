# expect: nll_without_log_softmax @ 29
# allowed: nll_without_log_softmax @ 42
# allowed: nll_without_log_softmax @ 48
"""Character model: an LSTM predicts the next letter of a toy language."""
import torch
import torch.nn as nn

torch.manual_seed(17)
WORDS = ["casa", "gato", "luna", "perro", "sol", "rio", "mesa"]
CHARS = sorted(set("".join(WORDS)) | {" "})
STOI = {c: i for i, c in enumerate(CHARS)}


def corpus(n_words):
    ids = torch.randint(0, len(WORDS), (n_words,)).tolist()
    text = " ".join(WORDS[i] for i in ids)
    return torch.tensor([STOI[c] for c in text])


class CharLSTM(nn.Module):
    def __init__(self, v, d=16, h=48):
        super().__init__()
        self.emb = nn.Embedding(v, d)
        self.lstm = nn.LSTM(d, h, batch_first=True)
        self.fc = nn.Linear(h, v)

    def forward(self, x, state=None):
        out, state = self.lstm(self.emb(x), state)
        return self.fc(out), state


def windows(seq, length, batch):
    starts = torch.randint(0, len(seq) - length - 1, (batch,))
    x = torch.stack([seq[s:s + length] for s in starts])
    y = torch.stack([seq[s + 1:s + length + 1] for s in starts])
    return x, y


train_text, test_text = corpus(1500), corpus(300)
model = CharLSTM(len(CHARS))
opt = torch.optim.Adam(model.parameters(), lr=8e-3)
criterion = nn.NLLLoss()

for step in range(120):
    model.train()
    x, y = windows(train_text, 20, 32)
    scores, _ = model(x)
    loss = criterion(scores.reshape(-1, len(CHARS)), y.reshape(-1))
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 5.0)
    opt.step()
    if step % 30 == 29:
        print(f"step {step + 1} loss {loss.item():.3f}")

model.eval()
with torch.no_grad():
    x, y = windows(test_text, 40, 40)
    pred = model(x)[0].argmax(-1)
    print(f"next-char accuracy {(pred == y).float().mean().item():.3f}")
