"""The studio: watch and steer a training in a browser, through a server on this machine."""
