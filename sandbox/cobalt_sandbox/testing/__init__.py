"""The sandbox inside a test suite: a server in a thread, and worlds by hand."""
