"""What a person types: the commands that drive a running server, run a program beside one, and listen to its webhooks."""

#: The exit code of a command that ran well and found something wrong.
CHECK_FAILED = 3
