"""The playground: a page in which the kernel `lanes` trains in a browser, without a server."""
