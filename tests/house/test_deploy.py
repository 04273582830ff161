"""What is given to other machines holds together, as far as that can be told without them: nothing in `deploy/` is run here."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tintype import __version__
from tintype.settings import Settings, environment_name

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KNOWN = {environment_name(name) for name in Settings.model_fields}
OUTSIDE = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}  # read by the library of buckets
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile line by line, with continued lines in one."""
    text = re.sub(r"\\\n\s*", " ", (DEPLOY / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def last_stage() -> list[tuple[str, str]]:
    found = instructions()
    return found[max(number for number, (word, _) in enumerate(found) if word == "FROM") :]


def test_the_image_is_small_pinned_and_nobodys_root() -> None:
    found, last = instructions(), last_stage()
    bases = [rest.split()[0] for word, rest in found if word == "FROM"]
    assert len(bases) == 2
    assert all("slim" in base and ":" in base and "latest" not in base for base in bases)
    assert ("USER", "10001:10001") in last
    after = last[last.index(("USER", "10001:10001")) :]
    assert {word for word, _ in after} & {"RUN", "COPY", "ADD"} == set()
    assert [rest for word, rest in found if word == "ADD"] == []
    assert any("/healthz" in rest for word, rest in last if word == "HEALTHCHECK")
    assert ("ENTRYPOINT", '["tintype"]') in last
    assert not any(word in rest for _, rest in found for word in ("amd64", "x86_64", "arm64", "curl ", "sudo "))


def test_the_image_installs_by_hash_and_copies_what_there_is() -> None:
    installs = [rest for word, rest in instructions() if word == "RUN" and "pip install" in rest]
    assert any("--require-hashes" in one and "requirements/run.txt" in one for one in installs)
    assert any("--no-deps" in one and "--no-build-isolation" in one for one in installs)
    sources = [
        name for word, rest in instructions() if word == "COPY" and "--from" not in rest for name in rest.split()[:-1]
    ]
    assert sources
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {name for name in sources if not (ROOT / name).exists() or f"!{name}" not in ignored} == set()


def test_settings_of_the_image_are_known() -> None:
    said = " ".join(rest for word, rest in last_stage() if word == "ENV")
    names = set(re.findall(r"(\w+)=", said)) - {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
    assert names == {"HOST", "PORT", "TINTYPE_DATA"}
    assert names <= KNOWN


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    assert isinstance(found, dict)
    return found  # pyright: ignore[reportUnknownVariableType] - YAML


def test_compose_has_the_full_profile_and_the_small_one(compose: dict[str, Any]) -> None:
    services = compose["services"]
    full = {name for name, one in services.items() if "full" in one["profiles"]}
    assert full == {"web", "worker", "migrate", "postgres", "redis", "minio", "bucket"}
    assert {name: services[name]["deploy"]["replicas"] for name in ("web", "worker")} == {"web": 2, "worker": 2}
    for one in services.values():
        assert set(one.get("depends_on", {})) <= set(services)
        mounted = {volume.partition(":")[0] for volume in one.get("volumes", ())}
        assert mounted <= set(compose["volumes"])
        assert all(port.startswith("127.0.0.1:") for port in one.get("ports", ()))


def test_composed_settings_are_known_and_no_secret_is_written_down(compose: dict[str, Any]) -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    for name in ("tintype", "web", "worker", "migrate"):
        one = compose["services"][name]
        assert set(one["environment"]) <= KNOWN | OUTSIDE
        assert one["read_only"] is True
        assert one["cap_drop"] == ["ALL"]
    secrets = re.findall(r"(\w*(?:KEY|TOKEN|PASSWORD|SECRET)\w*): (.+)", text)
    assert secrets
    assert [name for name, value in secrets if not value.startswith("${") and name != "AWS_ACCESS_KEY_ID"] == []
    wait = compose["services"]["web"]["depends_on"]["migrate"]
    assert wait == {"condition": "service_completed_successfully"}


def documents() -> Iterator[dict[str, Any]]:
    for path in MANIFESTS:
        yield from yaml.safe_load_all(path.read_text())


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for one in documents():
        if one["kind"] in ("Deployment", "Job"):
            yield one["metadata"]["name"], one["spec"]["template"]["spec"]


def test_kubernetes_has_all_that_is_needed() -> None:
    kinds = sorted((one["kind"], one["metadata"]["name"]) for one in documents())
    assert kinds == [
        ("ConfigMap", "tintype"),
        ("Deployment", "tintype-web"),
        ("Deployment", "tintype-worker"),
        ("Job", "tintype-migrate"),
        ("PodDisruptionBudget", "tintype-web"),
        ("PodDisruptionBudget", "tintype-worker"),
        ("Service", "tintype"),
    ]
    versions = {one["kind"]: one["apiVersion"] for one in documents()}
    assert versions["Deployment"] == "apps/v1"
    assert versions["PodDisruptionBudget"] == "policy/v1"
    assert versions["Job"] == "batch/v1"


def test_selectors_find_their_pods() -> None:
    labels = {
        one["metadata"]["name"]: one["spec"]["template"]["metadata"]["labels"]
        for one in documents()
        if one["kind"] == "Deployment"
    }
    for one in documents():
        if one["kind"] in ("Deployment", "PodDisruptionBudget"):
            assert one["spec"]["selector"]["matchLabels"] == labels[one["metadata"]["name"]]
        if one["kind"] == "Service":
            assert one["spec"]["selector"] == labels["tintype-web"]
    names = {port["name"] for name, pod in pods() if name == "tintype-web" for port in pod["containers"][0]["ports"]}
    assert names == {"http"}


@pytest.mark.parametrize(("name", "pod"), list(pods()), ids=lambda one: one if isinstance(one, str) else "")
def test_pods_may_do_nothing_they_need_not(name: str, pod: dict[str, Any]) -> None:
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["envFrom"] == [{"configMapRef": {"name": "tintype"}}, {"secretRef": {"name": "tintype"}}]
    assert {one["name"] for one in container["volumeMounts"]} == {one["name"] for one in pod["volumes"]}
    assert "memory" in container["resources"]["limits"]
    probes = {probe: container[probe]["httpGet"]["path"] for probe in container if probe.endswith("Probe")}
    wanted = {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz?exclude=cache"}
    assert probes == (wanted if name == "tintype-web" else {})


def test_the_config_map_holds_settings_and_no_secrets() -> None:
    (found,) = (one["data"] for one in documents() if one["kind"] == "ConfigMap")
    assert set(found) <= KNOWN
    assert not [name for name in found if re.search("KEY|TOKEN|SECRET|PASSWORD|DATABASE|REDIS", name)]
    assert not [one for one in documents() if one["kind"] == "Secret"]


def test_the_unit_is_sound_and_shut_in(tmp_path: Path) -> None:
    text = (DEPLOY / "systemd" / "tintype.service").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("[")]
    said = [line.partition("=")[::2] for line in lines]
    names = {name for name, _ in said}
    assert {"NoNewPrivileges", "ProtectSystem", "PrivateTmp", "StateDirectory", "SystemCallFilter", "Restart"} <= names
    assert ("ProtectSystem", "strict") in said
    assert ("User", "tintype") in said
    if (program := shutil.which("systemd-analyze")) is not None:
        unit = tmp_path / "tintype.service"
        unit.write_text(text.replace("/opt/tintype/bin/tintype", "/bin/true"))
        done = subprocess.run([program, "verify", unit], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_the_bill_of_materials_is_the_lock(tmp_path: Path) -> None:
    lock = ROOT / "requirements" / "run.txt"
    places = [tmp_path / name for name in ("one.json", "two.json")]
    for place in places:
        subprocess.run([sys.executable, DEPLOY / "sbom.py", lock, place], check=True)
    assert places[0].read_bytes() == places[1].read_bytes()
    found = json.loads(places[0].read_text())
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
    assert found["metadata"]["component"]["version"] == __version__
    pinned = set(re.findall(r"^([a-z0-9.-]+)(?:\[.*\])?==([^\s;]+)", lock.read_text(), re.MULTILINE))
    assert {(one["name"], one["version"]) for one in found["components"]} == pinned
    assert sum(len(one["hashes"]) for one in found["components"]) == lock.read_text().count("--hash=sha256:")
    assert len({one["bom-ref"] for one in found["components"]}) == len(found["components"])
    assert "pkg:pypi/fastapi" in "".join(one["purl"] for one in found["components"])


@pytest.mark.parametrize("path", [*MANIFESTS, DEPLOY / "compose.yaml", DEPLOY / "Dockerfile"], ids=lambda one: one.name)
def test_nothing_names_a_registry_by_its_address(path: Path) -> None:
    images = re.findall(r"^\s*(?:image:|FROM)\s*(\S+)", path.read_text(), re.MULTILINE)
    assert [image for image in images if "." in image.partition("/")[0].partition(":")[0]] == []


def test_the_page_says_what_was_not_run() -> None:
    page = (ROOT / "docs" / "operations" / "deploy.md").read_text()
    for path in [*MANIFESTS, DEPLOY / "compose.yaml", DEPLOY / "Dockerfile", DEPLOY / "systemd" / "tintype.service"]:
        assert path.name in page, path.name
    assert "not run" in page
