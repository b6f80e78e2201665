"""Exercise: one function for training and for test.

Complete the function and check it with

    python -m treino_lessons forward.py

It is called with "train" and with "test", once per epoch. These are there when it is called:

    criterion    nn.CrossEntropyLoss(): takes the logits that the network returns, without softmax
    optimizer    the optimizer, bound to the network's weights
    args         the dictionary of hyper-parameters, with args["device"]

What it has to say: the mean loss of the iterations. It may return that number alone, return (loss, accuracy)
or anything else after the loss, or only print it with two decimals or more, as the course does.
Leave in this file the imports and the function alone: loading data and calling epochs stay in your notebook.

Two hints of the course: choose the mode by net.train() and net.eval(), and torch.no_grad() may be left out. And
remember to replace the calls train(...) and test(...) in your loop by forward(..., "train") and forward(..., "test").
"""

import numpy as np


def forward(loader, net, epoch, mode):
    # 1. The network must know whether it trains or is tested (dropout and batch norm behave differently).

    epoch_loss = []
    for x, y in loader:
        # 2. To the GPU, if there is one: args["device"]

        # 3. Forward: the prediction and the loss; keep this batch's loss in epoch_loss.

        # 4. In training only: what moves the weights. Three calls; their order matters.
        pass

    # 5. The mean (and the deviation, if you like) of epoch_loss.
