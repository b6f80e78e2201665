# expect: nothing
# looks suspicious: the optimizer is made with lr=1.0 and the scheduler steps with each batch: the rate
# itself is the LambdaLR's factor (the Transformer's own schedule).
import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

torch.manual_seed(0)
VOCAB, LENGTH, D_MODEL, WARMUP = 11, 8, 24, 40


def data_gen(batch_size):
    tokens = torch.randint(1, VOCAB, (batch_size, LENGTH))
    return tokens, tokens.flip(1)


class Reverse(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(VOCAB, D_MODEL)
        self.position = nn.Parameter(torch.randn(LENGTH, D_MODEL))
        layer = nn.TransformerEncoderLayer(D_MODEL, 4, 48, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1)
        self.out = nn.Linear(D_MODEL, VOCAB)

    def forward(self, tokens):
        return self.out(self.encoder(self.embed(tokens) + self.position))


def rate(step, model_size, factor, warmup):
    step = max(step, 1)
    return factor * model_size**-0.5 * min(step**-0.5, step * warmup**-1.5)


model = Reverse()
optimizer = torch.optim.Adam(model.parameters(), lr=1.0, betas=(0.9, 0.98), eps=1e-9)
scheduler = LambdaLR(optimizer, lr_lambda=lambda step: rate(step, D_MODEL, factor=0.5, warmup=WARMUP))
criterion = nn.CrossEntropyLoss()
for step in range(1, 161):
    tokens, target = data_gen(48)
    loss = criterion(model(tokens).reshape(-1, VOCAB), target.reshape(-1))
    loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    scheduler.step()
    if step % 40 == 0:
        print(
            f"Step: {step:4d} | Loss: {loss.item():6.3f} | Learning Rate: {scheduler.get_last_lr()[0]:6.1e}"
        )
model.eval()
with torch.no_grad():
    tokens, target = data_gen(200)
    print(f"token accuracy {(model(tokens).argmax(-1) == target).float().mean():.3f}")
