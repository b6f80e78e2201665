"""The live page: watch and steer a training from a browser, through a server on this machine."""
