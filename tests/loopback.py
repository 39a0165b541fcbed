"""Calls to servers on this machine: no proxy lies between, and no certificates are read, which takes 50 ms for each client."""

from __future__ import annotations

import ssl
from functools import partial

import httpx2

TRUSTING = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
TRUSTING.check_hostname = False
TRUSTING.verify_mode = ssl.CERT_NONE

Client = partial(httpx2.Client, trust_env=False, verify=TRUSTING)
request = partial(httpx2.request, trust_env=False, verify=TRUSTING)
get = partial(httpx2.get, trust_env=False, verify=TRUSTING)
post = partial(httpx2.post, trust_env=False, verify=TRUSTING)
put = partial(httpx2.put, trust_env=False, verify=TRUSTING)
patch = partial(httpx2.patch, trust_env=False, verify=TRUSTING)
delete = partial(httpx2.delete, trust_env=False, verify=TRUSTING)
