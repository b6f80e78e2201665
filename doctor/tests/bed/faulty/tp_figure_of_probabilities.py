# expect: nll_without_log_softmax @ 18
# mend: 18 →         said = F.log_softmax(model(x), dim=1)
"""Bag-of-words topics; cross-entropy is learned, and the report shows the mean negative log-likelihood."""
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(9)
words = torch.poisson(torch.rand(600, 30))
topic = (words @ torch.randn(30, 5)).argmax(1)
model = nn.Linear(30, 5)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-2)


def report(tag, x, y):
    model.eval()
    with torch.inference_mode():
        said = F.softmax(model(x), dim=1)
        nll = F.nll_loss(said, y)
    print(f"{tag}: nll {nll.item():.4f}, accuracy {(said.argmax(1) == y).float().mean().item():.3f}")


for epoch in range(10):
    model.train()
    for rows in torch.randperm(450).split(30):
        loss = F.cross_entropy(model(words[rows]), topic[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
report("train", words[:450], topic[:450])
report("held out", words[450:], topic[450:])
