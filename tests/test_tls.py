"""TLS: the same server under Cobalt's own names, for clients that trust the certificate it has written."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox, World
from cobalt_sandbox.clock import Stopwatch
from cobalt_sandbox.tls import NAMES, new_identity, write_certificate

API, LINK = "api.usecobalt.com", "link.usecobalt.com"
NODE_CLIENT = Path(__file__).with_name("tls_client.js")
PATIENCE = 20.0


@pytest.fixture(scope="module")
def encrypted() -> Iterator[Sandbox]:
    with Sandbox(seed=1, tls=True) as running:
        yield running


@pytest.fixture
def https(encrypted: Sandbox) -> Iterator[httpx2.Client]:
    """A client that trusts nobody but this server, at its address."""
    trust = ssl.create_default_context(cafile=encrypted.ca_file)
    headers = encrypted.default_world.headers
    with httpx2.Client(base_url=encrypted.tls_url, headers=headers, verify=trust, trust_env=False) as client:
        yield client


def asked(client: httpx2.Client, host: str, path: str, **more: str) -> httpx2.Response:
    """What is answered under a name, which the certificate must be for, when it leads to this machine."""
    return client.get(path, headers={"host": host, **more}, extensions={"sni_hostname": host.partition(":")[0]})


def port_of(sandbox: Sandbox) -> int:
    return urlsplit(sandbox.tls_url).port or 0


def connected(sandbox: Sandbox) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port_of(sandbox)), timeout=PATIENCE)


# Names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["api.usecobalt.com", "cobalt", "cobalt-sandbox", "localhost", "127.0.0.1", "::1"])
def test_the_api_answers_under_every_name_of_its_certificate(https: httpx2.Client, name: str) -> None:
    assert name in NAMES
    answer = asked(https, name, "/v1/providers")
    assert (answer.status_code, answer.json()["success"]) == (200, True)


def test_what_is_written_here_is_read_there(encrypted: Sandbox, https: httpx2.Client) -> None:
    world = encrypted.default_world
    plain = loopback.get(f"{encrypted.url}/v1/patients", headers=world.headers)
    assert asked(https, API, "/v1/patients").content == plain.content


def test_a_client_finds_no_other_name_in_the_certificate(https: httpx2.Client) -> None:
    with pytest.raises(httpx2.ConnectError, match="certificate is not valid for 'usecobalt"):
        asked(https, "usecobalt.com", "/v1/providers")


def test_a_client_that_does_not_trust_the_certificate_leaves_and_the_next_is_served(
    encrypted: Sandbox, https: httpx2.Client
) -> None:
    with httpx2.Client(trust_env=False) as stranger, pytest.raises(httpx2.ConnectError, match="certificate verify"):
        stranger.get(encrypted.tls_url)
    assert asked(https, API, "/v1/providers").status_code == 200


def test_what_speaks_no_tls_is_hung_up_on_and_the_next_is_served(encrypted: Sandbox, https: httpx2.Client) -> None:
    with connected(encrypted) as plain:
        plain.sendall(b"GET /v1/providers HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert b"HTTP" not in b"".join(iter(lambda: plain.recv(65_536), b""))
    assert asked(https, API, "/v1/providers").status_code == 200


@pytest.mark.parametrize("host", [LINK, "Link.UseCobalt.com", f"{LINK}:8443"])
@pytest.mark.parametrize(
    ("path", "here"),
    [
        ("/init.js", "/link/init.js"),
        ("/?token=lt_1", "/link?token=lt_1"),
        ("/link/init.js", "/link/init.js"),
        ("/link", "/link"),
    ],
)
def test_cobalts_host_of_link_is_link(https: httpx2.Client, host: str, path: str, here: str) -> None:
    there, plain = asked(https, host, path), asked(https, "localhost", here)
    assert (there.status_code, there.content) == (200, plain.content)
    assert there.headers["content-type"] == plain.headers["content-type"]


def test_the_plain_port_knows_the_names_too(encrypted: Sandbox) -> None:
    answer = loopback.get(f"{encrypted.url}/init.js", headers={"host": LINK})
    assert answer.status_code == 200
    assert answer.content == loopback.get(f"{encrypted.url}/link/init.js").content


@pytest.mark.parametrize("path", ["/v1/providers", "/_sandbox/clock", "/linked", "/%2e%2e/v1/providers"])
def test_there_is_nothing_else_under_that_name(https: httpx2.Client, path: str) -> None:
    assert asked(https, LINK, path).status_code == 404


@pytest.mark.parametrize("path", ["/init.js", "/"])
def test_other_names_are_not_link(https: httpx2.Client, path: str) -> None:
    assert asked(https, "localhost", path).status_code == 404
    assert asked(https, API, path).status_code == 404


def test_a_request_without_a_host_is_for_nobody_in_particular(encrypted: Sandbox) -> None:
    where = urlsplit(encrypted.url)
    with socket.create_connection((where.hostname, where.port), timeout=PATIENCE) as old:
        old.sendall(b"GET /_sandbox/livez HTTP/1.0\r\nconnection: close\r\n\r\n")
        said = b"".join(iter(lambda: old.recv(65_536), b""))
    assert said.startswith(b"HTTP/1.1 200 ")


# Origins ---------------------------------------------------------------------------------------------------------


def test_a_page_elsewhere_is_told_nothing_of_the_api_as_by_cobalt(https: httpx2.Client) -> None:
    answer = asked(https, API, "/v1/providers", origin="https://app.example")
    assert answer.status_code == 200
    assert [name for name in answer.headers if name.startswith("access-control-")] == []


@pytest.mark.parametrize("name", [API, LINK])
def test_the_control_api_has_none_of_cobalts_names(https: httpx2.Client, name: str) -> None:
    for origin in ({}, {"origin": f"https://{name}"}):
        answer = asked(https, name, "/_sandbox/world", **origin)
        assert answer.status_code in (403, 404)
        assert answer.json()["success"] is False


def test_the_control_api_answers_over_tls_a_page_of_its_own_and_no_other(
    encrypted: Sandbox, https: httpx2.Client
) -> None:
    assert https.get("/_sandbox/clock", headers={"origin": encrypted.tls_url}).status_code == 200
    assert https.get("/_sandbox/clock", headers={"origin": f"https://{API}"}).status_code == 403


# Clients of other kinds ------------------------------------------------------------------------------------------


def said_by_node(sandbox: Sandbox, **environment: str) -> str:
    world = sandbox.default_world
    command = ["node", str(NODE_CLIENT), str(port_of(sandbox)), *world.headers.values()]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("NODE_", "SSL_"))}
    ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=clean | environment, check=True)
    return ran.stdout


def test_node_trusts_it_by_an_environment_variable(encrypted: Sandbox) -> None:
    assert said_by_node(encrypted) in ("UNABLE_TO_VERIFY_LEAF_SIGNATURE", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY")
    status, _, body = said_by_node(encrypted, NODE_EXTRA_CA_CERTS=str(encrypted.ca_file)).partition(" ")
    assert (status, json.loads(body)["success"]) == ("200", True)


def test_python_trusts_it_by_an_environment_variable(encrypted: Sandbox) -> None:
    program = "import sys; from urllib.request import urlopen; print(urlopen(sys.argv[1]).status)"
    url = f"https://localhost:{port_of(encrypted)}/_sandbox/livez"
    environment = {**os.environ, "SSL_CERT_FILE": str(encrypted.ca_file), "no_proxy": "*"}
    command = [sys.executable, "-c", program, url]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=environment, check=True)
    assert ran.stdout == "200\n"


# Bytes -----------------------------------------------------------------------------------------------------------


class Wire:
    """A TLS client that sees what comes over the wire: records, and in which pieces."""

    def __init__(self, sandbox: Sandbox) -> None:
        context = ssl.create_default_context(cafile=sandbox.ca_file)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=API)
        self._socket = connected(sandbox)
        self.received: list[bytes] = []

    def close(self) -> None:
        self._socket.close()

    def shake_hands(self) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._exchange()
            else:
                break
        self._socket.sendall(self._out.read())

    def ask(self, request: bytes) -> bytes:
        """The whole answer, which is one that fits into a record."""
        self._tls.write(request)
        self._socket.sendall(self._out.read())
        self.received.clear()
        while True:
            try:
                return self._tls.read()
            except ssl.SSLWantReadError:
                self._exchange()

    def _exchange(self) -> None:
        self._socket.sendall(self._out.read())
        self.received.append(self._socket.recv(65_536))
        self._in.write(self.received[-1])


def records(piece: bytes) -> int:
    """How many TLS records these bytes are, all of them whole."""
    count, at = 0, 0
    while at < len(piece):
        at += 5 + int.from_bytes(piece[at + 3 : at + 5])
        count += 1
    assert at == len(piece)
    return count


def test_a_reply_is_one_record_in_one_piece(encrypted: Sandbox) -> None:
    with closing(Wire(encrypted)) as wire:
        wire.shake_hands()
        request = b"GET /_sandbox/livez HTTP/1.1\r\nhost: localhost\r\n\r\n"
        wire.ask(request)  # what belongs to the handshake comes along with the first
        for _ in range(3):
            assert wire.ask(request).endswith(b'{"status":"ok"}')
            assert [records(piece) for piece in wire.received] == [1]


def test_long_requests_and_replies_pass_whole(encrypted: Sandbox, https: httpx2.Client) -> None:
    world = encrypted.world(fixtures=["documentation"])
    name = "n" * 200_000
    made = https.post("/v1/referrals", headers=world.headers, json={"reason": name})
    assert made.status_code == 400
    with loopback.Client() as plain:
        document = plain.get(f"{encrypted.url}/_sandbox/snapshot").content
    assert len(document) > 262_144  # it is sent in pieces
    assert https.get("/_sandbox/snapshot").content == document
    world.delete()


# The end ---------------------------------------------------------------------------------------------------------


def test_a_server_stops_at_once_whoever_is_connected() -> None:
    assert min(seconds_to_stop() for _ in range(5)) < 0.05


def seconds_to_stop() -> float:
    """With one client who is idle, one amid a request, and one who has not shaken hands."""
    sandbox = Sandbox(tls=True)
    sandbox.start()
    trust = ssl.create_default_context(cafile=sandbox.ca_file)
    with connected(sandbox) as silent, connected(sandbox) as one, connected(sandbox) as other:
        with trust.wrap_socket(one, server_hostname=API) as idle, trust.wrap_socket(other, server_hostname=API) as busy:
            head = "".join(f"{name}: {value}\r\n" for name, value in sandbox.default_world.headers.items())
            busy.sendall(f"POST /v1/referrals HTTP/1.1\r\nhost: {API}\r\n{head}content-length: 9\r\n\r\n{{".encode())
            idle.sendall(b"GET /_sandbox/livez HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert idle.recv(65_536).endswith(b'{"status":"ok"}')
            since = Stopwatch()
            sandbox.stop()
            taken = since.seconds()
            assert idle.recv(1) == b""
        assert silent.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        connected(sandbox)
    return taken


def test_who_comes_while_no_further_file_can_be_opened_is_served_when_one_can(encrypted: Sandbox) -> None:
    trust = ssl.create_default_context(cafile=encrypted.ca_file)
    most, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as waiting:
        waiting.settimeout(PATIENCE)
        full = os.dup(waiting.fileno())
        os.close(full)
        resource.setrlimit(resource.RLIMIT_NOFILE, (full, hard))
        try:
            waiting.connect(("127.0.0.1", port_of(encrypted)))
            waiting.settimeout(0.05)
            with pytest.raises(TimeoutError):
                waiting.recv(1)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        waiting.settimeout(PATIENCE)
        with trust.wrap_socket(waiting, server_hostname=API) as served:
            assert served.version() == "TLSv1.3"


# The certificate -------------------------------------------------------------------------------------------------


def test_every_server_has_an_authority_of_its_own(encrypted: Sandbox) -> None:
    with Sandbox(tls=True) as other:
        certificates = {each.ca_file.read_bytes() for each in (encrypted, other)}
        assert len(certificates) == 2
        assert all(
            each.count(b"-----BEGIN ") == each.count(b"-----BEGIN CERTIFICATE-----") == 1 for each in certificates
        )


def test_the_file_is_there_as_long_as_the_server() -> None:
    with Sandbox(tls=True) as running:
        folder = running.ca_file.parent
        assert [each.name for each in folder.iterdir()] == ["ca.pem"]
    assert not folder.exists()


def test_a_server_that_cannot_start_leaves_neither_port_nor_file() -> None:
    sandbox = Sandbox(fixtures=["nothing"], tls=True)
    with pytest.raises(RuntimeError, match="the sandbox did not start"):
        sandbox.start()
    assert not sandbox.ca_file.exists()
    with socket.create_server(("127.0.0.1", port_of(sandbox))):
        pass


def test_the_certificate_is_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("an older one")
    with path.open() as reader:
        authority = new_identity().authority
        write_certificate(authority, path)
        assert reader.read() == "an older one"
    assert path.read_bytes() == authority
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.mkdir()
    with pytest.raises(OSError, match="directory"):
        write_certificate(b"", path)
    assert list(tmp_path.iterdir()) == [path]


# The command line ------------------------------------------------------------------------------------------------


def command(*arguments: str, before: str = "pass") -> list[str]:
    program = f"import sys; {before}; from cobalt_sandbox.cli import main; main(sys.argv[1:])"
    return [sys.executable, "-c", program, *arguments]


def refused(*arguments: str, before: str = "pass") -> tuple[int, str]:
    """The exit code and the last line of a server that does not start."""
    start = command("serve", "--port", "0", *arguments, before=before)
    ran = subprocess.run(start, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ran.stdout == ""
    return ran.returncode, ran.stderr.splitlines()[-1]


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize("way", ["flags", "environment variables"])
def test_serve_says_where_tls_is_and_writes_the_certificate_before(way: str, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    settings = {"tls": "1", "tls-port": "0", "tls-ca": str(file)}
    flags = ["--tls", "--tls-port", "0", "--tls-ca", str(file)] if way == "flags" else []
    variables = {f"COBALT_SANDBOX_{name.upper().replace('-', '_')}": value for name, value in settings.items()}
    environment = os.environ | (variables if not flags else {})
    piped = subprocess.PIPE
    start = command("serve", "--port", "0", *flags)
    with subprocess.Popen(start, stdout=piped, stderr=piped, text=True, env=environment) as server:
        try:
            assert server.stdout is not None
            ready = json.loads(server.stdout.readline())
            trust = ssl.create_default_context(cafile=file)
            answer = httpx2.get(f"{ready['tls_url']}/_sandbox/livez", verify=trust, trust_env=False)
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=PATIENCE)
        finally:
            server.kill()
    assert ready == {"event": "ready", "url": ready["url"], "pid": server.pid, "tls_url": ready["tls_url"]}
    assert ready["tls_url"].startswith("https://127.0.0.1:")
    assert (answer.json(), server.returncode) == ({"status": "ok"}, 0)


@pytest.mark.usefixtures("measured")
def test_serve_writes_no_certificate_unless_it_is_told_where(tmp_path: Path) -> None:
    start = command("serve", "--port", "0", "--tls", "--tls-port", "0")
    with subprocess.Popen(start, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as server:
        try:
            assert server.stdout is not None
            assert "tls_url" in json.loads(server.stdout.readline())
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=PATIENCE)
        finally:
            server.kill()
    assert (server.returncode, list(tmp_path.iterdir())) == (0, [])


@pytest.mark.usefixtures("measured")
def test_serve_names_what_to_install_when_it_is_missing() -> None:
    without = "sys.modules['trustme'] = None"
    cure = "Error: TLS needs trustme: pip install 'cobalt-sandbox[tls]'"
    assert refused("--tls", "--tls-port", "0", before=without) == (1, cure)


@pytest.mark.usefixtures("measured")
def test_a_taken_port_is_a_failure_and_the_file_stays_that_of_who_has_it(encrypted: Sandbox) -> None:
    port, before = port_of(encrypted), encrypted.ca_file.read_bytes()
    said = refused("--tls", "--tls-port", str(port), "--tls-ca", str(encrypted.ca_file))
    assert said == (1, f"Error: cannot listen on 127.0.0.1:{port}: Address already in use")
    assert encrypted.ca_file.read_bytes() == before


@pytest.mark.usefixtures("measured")
def test_a_certificate_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere" / "ca.pem"
    said = refused("--tls", "--tls-port", "0", "--tls-ca", str(nowhere))
    assert said == (1, f"Error: cannot write {nowhere}: No such file or directory")


@pytest.mark.usefixtures("measured")
def test_a_file_for_the_certificate_is_wrong_use_without_tls(tmp_path: Path) -> None:
    assert refused("--tls-ca", str(tmp_path / "ca.pem")) == (2, "Error: --tls-ca is of no use without --tls.")
    assert list(tmp_path.iterdir()) == []


def test_without_it_nothing_of_it_is_loaded() -> None:
    program = "import sys; from cobalt_sandbox import Sandbox; Sandbox().start(); print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE, check=True)
    loaded = set(ran.stdout.split())
    assert "cobalt_sandbox.serving" in loaded
    assert loaded & {"cobalt_sandbox.tls", "trustme", "cryptography", "idna"} == set()


def test_a_sandbox_names_what_to_install_too() -> None:
    program = (
        "import sys; sys.modules['trustme'] = None; from cobalt_sandbox import Sandbox\n"
        "try: Sandbox(tls=True).start()\nexcept Exception as problem: print(problem)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert ran.stdout == "TLS needs trustme: pip install 'cobalt-sandbox[tls]'\n"


def test_another_world_of_the_same_server_answers_over_tls(encrypted: Sandbox, https: httpx2.Client) -> None:
    fresh: World = encrypted.world(fixtures=["empty"])
    answer = https.get("/v1/patients", headers=fresh.headers)
    assert (answer.status_code, answer.json()["patients"]) == (200, [])
    fresh.delete()
