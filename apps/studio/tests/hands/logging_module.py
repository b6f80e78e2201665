import logging
import logging.handlers
import sys

import torch
from torch import nn

logger = logging.getLogger("train")
logger.setLevel(logging.DEBUG)
plain = logging.Formatter("%(levelname)s %(name)s: %(message)s")
for handler in (
    logging.FileHandler("debug.log", mode="w"),
    logging.handlers.RotatingFileHandler("rotating.log", maxBytes=400, backupCount=3),
    logging.StreamHandler(sys.stdout),
):
    handler.setFormatter(plain)
    logger.addHandler(handler)

torch.manual_seed(13)
rnn = nn.GRU(2, 8, batch_first=True)
out = nn.Linear(8, 1)
optimizer = torch.optim.RMSprop([*rnn.parameters(), *out.parameters()], lr=0.01)
for step in range(34):
    sequence = torch.rand(6, 5, 2)
    hidden, _ = rnn(sequence)
    loss = (out(hidden[:, -1]) - sequence.sum((1, 2)).unsqueeze(1)).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    logger.info("step %d loss %.6f", step, loss.item())
    if loss.item() > 10:
        logger.warning("large loss")
