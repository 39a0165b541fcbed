"""The control API's tests: time, outcomes, failure and worlds, in the hands of whoever tests."""
