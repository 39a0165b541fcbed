"""The pytest plugin, as it is met: suites that know nothing of this one, run by a pytest of their own."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from cobalt_sandbox import Sandbox
from cobalt_sandbox.client import Control
from suites import ran

CLIENTS = Path(__file__).with_name("clients") / "plugin"
Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path, measured: None) -> Run:
    """Run a suite with the plugin."""

    def run(suite: str, *arguments: str, **environment: str) -> str:
        (tmp_path / "test_of_a_client.py").write_text(dedent(suite))
        return ran(tmp_path, "-p", "cobalt", *arguments, **environment)

    return run


@pytest.fixture
def run_there(run: Run, sandbox: Sandbox) -> Run:
    """The same at the server of this session, which is there already."""

    def run_there(suite: str, *arguments: str) -> str:
        return run(suite, f"--cobalt-url={sandbox.url}", *arguments)

    return run_there


def ended(output: str, **counts: int) -> bool:
    """Whether so many tests passed, failed or had errors, and no others."""
    last = output.rstrip().splitlines()[-1]
    found = {what: int(count) for count, what in re.findall(r"(\d+) (passed|failed|error|skipped|xfailed)", last)}
    return found == counts


def worlds(sandbox: Sandbox) -> int:
    return int(Control(sandbox.url).call("GET", "/readyz")["worlds"])


# What it costs a suite that does not use it ----------------------------------------------------------------------

NOTHING = """
    import sys

    def test_nothing():
        print(*(f"loaded: {name}" for name in sys.modules), sep="\\n")
"""


def loaded(output: str) -> set[str]:
    return set(re.findall(r"^loaded: (.+)$", output, re.MULTILINE))


def test_it_loads_nothing_but_itself_until_it_is_used(run: Run, tmp_path: Path) -> None:
    with_it = loaded(run(NOTHING, "-s"))
    own = {"cobalt_sandbox", "cobalt_sandbox.testing", "cobalt_sandbox.testing.plugin"}
    assert with_it - loaded(ran(tmp_path, "-s")) == own


def test_pytest_finds_it_by_itself_and_leaves_it_out_when_told(tmp_path: Path) -> None:
    assert "--cobalt-url" in ran(tmp_path, "--help", PYTEST_DISABLE_PLUGIN_AUTOLOAD="")
    assert "--cobalt-url" not in ran(tmp_path, "--help", "-p", "no:cobalt", PYTEST_DISABLE_PLUGIN_AUTOLOAD="")


# Fixtures --------------------------------------------------------------------------------------------------------

START = """
    from zlib import crc32

    import httpx2
    import pytest

    REFERRAL = {
        "patient_mrn": "1234567",
        "referring_from_provider_ehr_id": "PROV-001",
        "referring_to_provider_ehr_id": "PROV-002",
        "direction": "outgoing",
        "priority": "urgent",
        "reason": "Cardiology consultation",
    }


    @pytest.fixture
    def api(cobalt):
        url = f"{cobalt.url}/v1"
        with httpx2.Client(base_url=url, headers=cobalt.headers, trust_env=False, verify=False) as client:
            yield client
"""

USED = f"""{START}
    SEEN = set()


    def test_the_receiver_is_told_what_the_world_does(cobalt, cobalt_receiver, api):
        cobalt_receiver.answer(500, times=1)
        job = api.post("/referrals", json=REFERRAL).json()["job_id"]
        assert cobalt_receiver.received == []
        cobalt.settle()
        first, second = cobalt_receiver.received
        assert (first.attempt, second.attempt, second.json["job_id"]) == (1, 2, str(job))
        assert cobalt.trace(job)["deliveries"][0]["attempts"][0]["verdict"] == "retried after 1 s"
        assert cobalt_receiver.refusals == []


    def test_what_another_has_signed_is_refused(cobalt, cobalt_receiver):
        cobalt_receiver.secret = "whsec_of_another"
        cobalt.fire("patient.updated")
        cobalt.settle()
        [refusal] = cobalt_receiver.refusals
        assert "another secret" in refusal


    @pytest.mark.parametrize("number", range(3))
    def test_each_test_has_a_world_of_its_own(request, cobalt, cobalt_sandbox, number):
        assert cobalt.client_id not in SEEN
        SEEN.add(cobalt.client_id)
        assert cobalt.url == cobalt_sandbox.url
        assert (cobalt.state()["seed"], cobalt.state()["clock"]["rate"]) == (crc32(request.node.nodeid.encode()), 0)


    def test_a_world_may_be_deleted_by_its_test(cobalt):
        cobalt.delete()


    @pytest.mark.cobalt(seed=1, latency="realistic")
    class TestAClass:
        def test_it_is_as_the_marker_says(self, cobalt):
            assert (cobalt.state()["seed"], cobalt.state()["latency"]) == (1, "realistic")

        @pytest.mark.cobalt(seed=2, fixtures=["demo-clinic"], hold=True)
        def test_what_is_nearer_goes_first(self, cobalt):
            state = cobalt.state()
            assert (state["seed"], state["latency"], state["hold"]) == (2, "realistic", True)
            assert [practice["name"] for practice in state["practices"]] == ["demo-clinic"]
"""


def test_a_suite_has_a_server_worlds_and_a_receiver(run: Run) -> None:
    assert ended(run(USED, "--strict-markers", "-W", "error"), passed=8)


def test_a_running_server_is_used_and_left_as_it_was(run_there: Run, sandbox: Sandbox) -> None:
    before = worlds(sandbox)
    assert ended(run_there(USED, "-W", "error"), passed=8)
    assert worlds(sandbox) == before


def test_each_worker_has_a_server_of_its_own(run: Run, tmp_path: Path) -> None:
    suite = """
        from pathlib import Path

        import pytest

        @pytest.mark.parametrize("number", range(4))
        def test_it_runs(cobalt_sandbox, cobalt, worker_id, number):
            with Path("servers").open("a") as servers:
                servers.write(f"{worker_id} {cobalt.url}\\n")
    """
    assert ended(run(suite, "-p", "xdist", "-n2", "-W", "error"), passed=4)
    found = {line.split()[0]: line.split()[1] for line in (tmp_path / "servers").read_text().splitlines()}
    assert sorted(found) == ["gw0", "gw1"]
    assert len(set(found.values())) == 2


@pytest.mark.usefixtures("measured")
def test_workers_on_one_server_see_nothing_of_each_other_nor_of_what_was_before_a_reset(sandbox: Sandbox) -> None:
    there = f"--cobalt-url={sandbox.url}"
    wanted = {"ISOLATION_TESTS": "20", "ISOLATION_ORDER": "1"}
    assert ended(ran(CLIENTS, "-p", "cobalt", "-p", "xdist", "-n2", there, "isolation.py", **wanted), passed=20)


# A server elsewhere ----------------------------------------------------------------------------------------------

RECEIVES = """
    def test_it_receives(cobalt, cobalt_receiver):
        cobalt.fire("patient.updated")
        cobalt.settle()
        [received] = cobalt_receiver.received
        assert received.json["type"] == "patient.updated"
        assert cobalt.deliveries()[0]["webhook_url"] == cobalt_receiver.url
        print("at", cobalt_receiver.url)
"""


def test_one_that_is_guarded_wants_its_token(run: Run) -> None:
    with Sandbox(control_token="sesame") as guarded:
        refused = run(RECEIVES, COBALT_SANDBOX_URL=guarded.url)
        assert (
            f"--cobalt-url {guarded.url}: no sandbox can be used there: This server was started with --control-token"
            in refused
        )
        assert ended(refused, error=1)
        assert ended(run(RECEIVES, COBALT_SANDBOX_URL=guarded.url, COBALT_SANDBOX_CONTROL_TOKEN="sesame"), passed=1)


def test_one_that_is_not_there_is_missed(run: Run) -> None:
    missed = run(RECEIVES, "--cobalt-url=http://127.0.0.1:1/")
    assert "--cobalt-url http://127.0.0.1:1: no sandbox can be used there: [Errno 111] Connection refused" in missed
    assert "Traceback" not in missed


def test_one_that_finds_this_machine_under_another_name_is_told_that(run_there: Run) -> None:
    assert re.search(r"at http://localhost:\d+/webhook", run_there(RECEIVES, "-s", "--cobalt-receiver-host=localhost"))


def test_one_that_takes_no_such_webhook_says_so(run: Run) -> None:
    with Sandbox(strict=True) as strict:
        refused = run(RECEIVES, f"--cobalt-url={strict.url}")
    assert re.search(r"http://\S+ cannot be registered as a webhook: webhook_url must be a valid HTTPS URL\.", refused)


# Markers ---------------------------------------------------------------------------------------------------------


def test_a_marker_that_cannot_be_followed_says_why(run_there: Run) -> None:
    output = run_there("""
        import pytest

        @pytest.mark.cobalt(sed=1)
        def test_mistyped(cobalt): ...

        @pytest.mark.cobalt("demo-clinic")
        def test_without_a_name(cobalt): ...

        @pytest.mark.cobalt(latency="slow")
        def test_a_value_that_there_is_not(cobalt): ...
    """)
    assert ended(output, error=3)
    known = "but by their names seed, fixtures, latency, rate, now, hold, options, snapshot."
    for unknown in ("sed=…", "'demo-clinic'"):
        assert f"\n@pytest.mark.cobalt takes no {unknown}, {known}\n" in output
    assert "\nthe world of this test cannot be made: latency 'slow' is none of: instant, " in output
    assert "During handling" not in output


def test_pytest_lists_the_marker(run: Run) -> None:
    assert "@pytest.mark.cobalt(seed=…, fixtures=…, latency=…): " in run("", "--markers")


# Reports ---------------------------------------------------------------------------------------------------------

FAILS = f"""{START}
    def test_it_passes(cobalt):
        pass


    @pytest.mark.xfail
    def test_it_fails_as_it_should(cobalt):
        assert cobalt.jobs()


    def test_it_fails_without_a_world():
        assert not REFERRAL


    def test_it_fails_with_a_job_queued(cobalt, cobalt_receiver, api):
        api.post("/referrals", json=REFERRAL)
        assert cobalt_receiver.received


    @pytest.fixture
    def everything_delivered(cobalt):
        yield
        assert cobalt.jobs(status="queued") == []


    def test_it_fails_in_the_end(everything_delivered, api):
        api.post("/referrals", json=REFERRAL)
"""


@pytest.mark.parametrize("arguments", [(), ("-p", "xdist", "-n1")], ids=["in one process", "under xdist"])
def test_a_test_that_fails_is_reported_with_what_happened_in_its_world(run: Run, arguments: tuple[str, ...]) -> None:
    output = run(FAILS, *arguments)
    assert ended(output, failed=2, passed=2, xfailed=1, error=1)
    title = re.compile(r"^-+ the world of this test, cobalt -+\n", re.MULTILINE)
    before, in_the_end, queued = title.split(output)
    assert ("ERROR at teardown of test_it_fails_in_the_end" in before, "FAILURES" in in_the_end) == (True, True)
    for section in (in_the_end, queued):
        assert section.startswith("2026-03-10T10:30:00.000Z, standing still; seed ")
        assert "and the clock stands still: settle or advance it\n" in section
