# hint: First the mode: net.train() if mode is "train", else net.eval().
# hint: For each batch: to the device, the prediction, the loss; keep loss.item(). Only in training the weights move.
# hint: In training: optimizer.zero_grad(), loss.backward(), optimizer.step(), in this order. Return the mean loss.
"""One function for training and test

Write forward(loader, net, epoch, mode), in place of the course's train() and test(). mode is "train" or "test".
It goes through the loader once and returns the mean loss of the batches; printing it with two decimals is
enough, too.

These are there when it is called: criterion, which is CrossEntropyLoss and takes logits; optimizer, bound to
the network's weights; and args, whose args["device"] is where the batches go. Only the imports and the function
stand in this file.
"""


def forward(loader, net, epoch, mode):
    net.train() if mode == "train" else net.eval()
    losses = []
    for x, y in loader:
        pred = net(x.to(args["device"]))
        loss = criterion(pred, y.to(args["device"]))
        losses.append(loss.item())
        if mode == "train":
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return sum(losses) / len(losses)


def use(function):
    from treino_lessons import check

    outcome = check(function)
    return True if outcome.passed else repr(outcome)


def cases():
    yield ()
