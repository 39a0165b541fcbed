"""Link as a user meets it: in a real browser, opened by a client's page."""
