"""The kernel's tests: time, HTTP and webhooks, over real sockets wherever it is about the network."""
