"""The manifests: they fit Kubernetes' and the operators' schemas, and name what exists."""

import json
import re
import zipfile
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml

from account_alerts import installation
from account_alerts.config import PROJECT, Config, load, secret_variables
from account_alerts.config.gateways import SmsCallback
from install import jars
from jobs import catalog
from operations.flink import client_config
from tests.unit.deploy import operator_schemas
from tests.unit.deploy.images import stages
from tests.unit.deploy.manifests import BASE, Manifest, kustomization, of_kind, pod, read, rendered

KUBERNETES = "1.33"
"""The version whose schemas the manifests must fit; they use nothing that newer ones do not have."""
GUIDE = PROJECT / "docs/operations/deploy.md"
_PIP = "/opt/alerts/.venv/lib/python3.11/site-packages"
_BY_OPERATOR = {
    "env.java.opts.all",  # Flink's own file has it, which the operator's replaces.
    "jobmanager.memory.process.size",
    "kubernetes.cluster-id",
    "rest.address",
    "rest.port",
    "security.ssl.rest.enabled",
    "taskmanager.memory.process.size",
    "taskmanager.numberOfTaskSlots",
}
"""Options of a cluster that the operator makes of a FlinkDeployment, or that each has its own value of."""
JOBS = of_kind("FlinkDeployment")
SERVICES = of_kind("Deployment")


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> Config:
    for key in ("USERNAME", "PASSWORD"):
        monkeypatch.setenv(f"ALERTS_KAFKA__{key}", "anything")
    return load(PROJECT / "conf/production.yaml")


def _secrets() -> dict[str, list[str]]:
    """Read the guide's list: each secret, and the variables in it."""
    text = re.sub(r"\n  +", " ", GUIDE.read_text())
    rows = re.findall(r"^- `(alerts-[\w-]+)`(.*)$", text, re.MULTILINE)
    return {name: re.findall(r"`([A-Z][A-Z0-9_]+)`", keys) for name, keys in rows}


def _validate(manifest: Manifest) -> None:
    import kubernetes_validate  # Here, for it reads an index of all its schemas.

    kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


@pytest.mark.parametrize(
    "manifest", rendered(), ids=lambda manifest: f"{manifest['kind']}-{manifest['metadata']['name']}"
)
def test_manifest_fits_the_schema(manifest: Manifest) -> None:
    if manifest["apiVersion"] != "flink.apache.org/v1beta1":
        _validate(manifest)
        return
    schema = json.loads(operator_schemas.file(manifest["kind"]).read_text())
    jsonschema.validate(manifest, schema)
    spec = manifest["spec"]
    for template in (spec, spec["jobManager"], spec["taskManager"]):
        # A template holds a part; the operator adds what Kubernetes asks for.
        part = {**template["podTemplate"], "metadata": {"name": "any"}}
        _validate({"apiVersion": "v1", "kind": "Pod", **part})


def test_a_misspelt_key_does_not_fit() -> None:
    wrong = {**JOBS["alerting"], "spec": {**JOBS["alerting"]["spec"], "flinkConfig": {}}}
    schema = json.loads(operator_schemas.file("FlinkDeployment").read_text())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema)


def test_every_manifest_is_listed_once() -> None:
    base = kustomization()
    listed = [*base["resources"], *(patch["path"] for patch in base["patches"]), *base["configurations"]]
    files = [
        str(file.relative_to(BASE)) for file in BASE.rglob("*.yaml") if file.name != "kustomization.yaml"
    ]
    assert sorted(listed) == sorted(files)


def test_operator_takes_the_version_that_the_manifests_name() -> None:
    # Flink's own is not among them yet. Once it is, the manifests have to say so.
    schema = json.loads(operator_schemas.file("FlinkDeployment").read_text())
    accepted = schema["properties"]["spec"]["properties"]["flinkVersion"]["enum"]
    [lock] = {
        jar.version for jar in jars.read_lock(jars.LOCK.read_text()) if jar.artifact == "flink-sql-gateway"
    }
    ours = f"v{'_'.join(lock.split('.')[:2])}"
    wanted = ours if ours in accepted else accepted[-1]
    assert {job["spec"]["flinkVersion"] for job in JOBS.values()} == {wanted}


def test_every_job_has_a_deployment() -> None:
    of_analysts = {catalog.ANALYST_ALERTS}
    assert set(catalog.FILES) - of_analysts | {"analyst-rules"} == set(JOBS)


@pytest.mark.parametrize("name", sorted(set(JOBS) - {"analyst-rules"}))
def test_job_runs_its_file_from_a_savepoint(name: str) -> None:
    job = JOBS[name]["spec"]["job"]
    arguments = job["args"]
    script = arguments[arguments.index("-py") + 1]
    assert Path(script).name == catalog.FILES[name]
    assert script.startswith("/opt/alerts/jobs/")
    assert arguments[-2:] == ["--config", "/etc/alerts/config/production.yaml"]
    assert arguments.index("-pyclientexec") < arguments.index("-py") < arguments.index("--config")
    assert job["upgradeMode"] == "savepoint"
    jar = job["jarURI"].removeprefix(f"local://{_PIP}/pyflink/")
    assert (installation.flink_home() / jar).is_file()


def test_jobs_parallelism_and_slots_are_the_configurations(config: Config) -> None:
    wanted = {
        "alerting": config.alerting.parallelism,
        "device-resolver": config.require("devices").parallelism,
        "reminders": config.require("clicks").parallelism,
    }
    for name, parallelism in wanted.items():
        spec = JOBS[name]["spec"]
        assert spec["job"]["parallelism"] == parallelism, name
        slots = int(spec["flinkConfiguration"]["taskmanager.numberOfTaskSlots"])
        assert parallelism % slots == 0, name
    options = config.flink.options
    spec = JOBS["alerting"]["spec"]
    assert spec["taskManager"]["resource"]["memory"] == options["taskmanager.memory.process.size"]
    assert spec["jobManager"]["resource"]["memory"] == options["jobmanager.memory.process.size"]


def test_flinks_options_are_the_configurations(config: Config) -> None:
    wanted = {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in {
            **client_config.cluster_options(config),
            **config.flink.options,
        }.items()
        if key not in _BY_OPERATOR
    }
    wanted["env.java.opts.all"] = str(client_config.cluster_options(config)["env.java.opts.all"])
    for name, job in JOBS.items():
        given = dict(job["spec"]["flinkConfiguration"])
        own = {key: given.pop(key) for key in list(given) if key.startswith("kubernetes.")}
        assert own["kubernetes.entry.path"] == "/usr/bin/env"
        given.pop("taskmanager.numberOfTaskSlots")
        given.pop("slotmanager.number-of-slots.max", None)
        assert given == wanted, name


def test_jobs_log_as_everywhere() -> None:
    for name, job in JOBS.items():
        assert job["spec"]["logConfiguration"] == {"log4j-console.properties": client_config.LOG4J_CONSOLE}, (
            name
        )


@cache
def _names_of_options() -> bytes:
    """Read the constants of all classes of Flink that declare options."""
    home = installation.flink_home()
    parts = []
    for jar in (*home.glob("lib/flink-dist*.jar"), *home.glob("opt/flink-python*.jar")):
        with zipfile.ZipFile(jar) as archive:
            parts += [archive.read(name) for name in archive.namelist() if name.endswith("Options.class")]
    for jar in installation.FLINK_LIB.glob("flink-dist*.jar"):
        assert jar.exists()
    return b"\n".join(parts)


def test_flink_knows_every_option() -> None:
    keys = {key for job in JOBS.values() for key in job["spec"]["flinkConfiguration"]}
    of_operator = {key for key in keys if key.startswith("kubernetes.operator.")}
    # A reporter's options have its name within; rocksdb's stand in a jar of its own.
    named_freely = {
        key for key in keys if key.startswith(("metrics.reporter.prometheus.", "state.backend.rocksdb."))
    }
    for key in sorted(keys - of_operator - named_freely):
        assert key.encode() in _names_of_options(), key
    assert of_operator == {
        # Looked up in the operator's reference of options, which no registry has.
        "kubernetes.operator.deployment.rollback.enabled",
        "kubernetes.operator.job.upgrade.last-state-fallback.enabled",
        "kubernetes.operator.savepoint.format.type",
    }


def test_every_image_is_one_of_ours_or_pinned() -> None:
    ours = {
        "account-alerts-jobs": PROJECT / "docker/flink/Dockerfile",
        "account-alerts-analyst-tools": PROJECT / "docker/flink/Dockerfile",
        "account-alerts-services": PROJECT / "docker/services/Dockerfile",
    }
    for image, file in ours.items():
        assert image.removeprefix("account-alerts-") in stages(file)
    [debezium] = {
        jar.version
        for jar in jars.read_lock(jars.LOCK.read_text())
        if jar.artifact == "debezium-connector-postgres"
    }
    used = {job["spec"]["image"] for job in JOBS.values()}
    used |= {container["image"] for service in SERVICES.values() for container in pod(service)["containers"]}
    assert used == {*ours, f"quay.io/debezium/connect:{debezium}"}
    overlay = kustomization(PROJECT / "deploy/kubernetes/overlays/example")
    assert {image["name"] for image in overlay["images"]} == set(ours)


def test_connects_worker_gets_no_variables_of_services() -> None:
    assert pod(SERVICES["connect"])["enableServiceLinks"] is False


def test_every_command_is_in_its_image() -> None:
    for name, service in SERVICES.items():
        [container] = pod(service)["containers"]
        if "command" not in container:
            assert name == "connect"
            continue
        assert container["command"][:2] == ["python", "-m"]
        module = container["command"][2]
        file = PROJECT / module.replace(".", "/")
        start = file / "__main__.py" if file.is_dir() else file.with_suffix(".py")
        assert "__main__" in start.read_text() or start.name == "__main__.py", module
        copied = {
            "account-alerts-services": stages(PROJECT / "docker/services/Dockerfile")["services"].copied,
            "account-alerts-analyst-tools": stages(PROJECT / "docker/flink/Dockerfile")[
                "analyst-tools"
            ].copied,
        }[container["image"]]
        assert module.partition(".")[0] in copied, module


def test_services_listen_where_the_configuration_says(config: Config) -> None:
    senders = config.require("senders")
    wanted = {
        "bridge": config.require("bridge").metrics_port,
        "publisher": config.require("capture").metrics_port,
        "clicks": config.require("clicks").metrics_port,
        "profiles": senders.profiles_metrics_port,
        "web": config.require("web").metrics_port,
        **{f"sender-{channel}": senders.metrics_port(channel) for channel in ("email", "sms", "push")},
    }
    ports = {
        name: container["ports"][0]["containerPort"]
        for name, service in SERVICES.items()
        for container in pod(service)["containers"]
        if name in wanted
    }
    assert ports == wanted
    scraped = {
        port["port"]
        for rule in of_kind("NetworkPolicy")["metrics"]["spec"]["ingress"]
        for port in rule["ports"]
    }
    assert scraped == {*wanted.values(), int(config.flink.options["metrics.reporter.prometheus.port"])}


def test_nothing_runs_as_root_or_with_rights_it_does_not_need() -> None:
    for name, manifest in {**JOBS, **SERVICES}.items():
        spec = pod(manifest)
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["runAsUser"] > 0, name
        for container in spec["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False, name
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
    for name, service in SERVICES.items():
        assert pod(service)["automountServiceAccountToken"] is False, name
    rules = [rule for role in of_kind("Role").values() for rule in role["rules"]]
    for rule in rules:
        assert "*" not in (*rule["apiGroups"], *rule["resources"], *rule["verbs"])
        assert "secrets" not in rule["resources"]


def test_users_of_the_images_are_the_manifests() -> None:
    for file, name, manifests in (
        (PROJECT / "docker/flink/Dockerfile", "jobs", JOBS),
        (PROJECT / "docker/services/Dockerfile", "services", {"bridge": SERVICES["bridge"]}),
    ):
        [user] = re.findall(r"^USER (\d+)$", stages(file)[name].text, re.MULTILINE)
        assert {pod(manifest)["securityContext"]["runAsUser"] for manifest in manifests.values()} == {
            int(user)
        }


def test_every_pod_is_watched_and_sized() -> None:
    for name, service in SERVICES.items():
        [container] = pod(service)["containers"]
        assert set(container["resources"]["requests"]) == {"cpu", "memory"}, name
        if name != "analyst-guard":  # It serves nothing that could be asked.
            assert {"livenessProbe", "readinessProbe"} <= set(container), name
    for name, job in JOBS.items():
        for part in ("jobManager", "taskManager"):
            assert {"cpu", "memory"} <= set(job["spec"][part]["resource"]), name
            [container] = job["spec"][part]["podTemplate"]["spec"]["containers"]
            assert "livenessProbe" in container, name


def test_selectors_find_pods() -> None:
    labels = [service["spec"]["template"]["metadata"]["labels"] for service in SERVICES.values()]
    # What Flink gives to the pods of a deployment on Kubernetes.
    labels += [
        {"app": name, "component": part, "type": "flink-native-kubernetes"}
        for name in JOBS
        for part in ("jobmanager", "taskmanager")
    ]
    for manifest in rendered():
        for selector in _pod_selectors(manifest):
            assert any(_selects(selector, found) for found in labels), (
                manifest["metadata"]["name"],
                selector,
            )


def _pod_selectors(manifest: Manifest) -> list[Manifest]:
    spec = manifest.get("spec", {})
    match manifest["kind"]:
        case "Service":
            return [{"matchLabels": spec["selector"]}]
        case "PodDisruptionBudget" | "Deployment":
            return [spec["selector"]]
        case "NetworkPolicy":
            peers = [
                peer
                for rule in (*spec.get("ingress", ()), *spec.get("egress", ()))
                for peer in (*rule.get("from", ()), *rule.get("to", ()))
            ]
            return [spec["podSelector"], *(peer["podSelector"] for peer in peers if "podSelector" in peer)]
    return []


def _selects(selector: Manifest, labels: dict[str, str]) -> bool:
    exact: dict[str, Any] = selector.get("matchLabels", {})
    return all(labels.get(key) == value for key, value in exact.items()) and all(
        labels.get(rule["key"]) in rule["values"] for rule in selector.get("matchExpressions", ())
    )


def test_every_pod_may_reach_what_it_needs_and_nothing_else_is_open() -> None:
    policies = of_kind("NetworkPolicy")
    assert policies["default-deny"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    named = set(policies["kafka"]["spec"]["podSelector"]["matchExpressions"][0]["values"])
    assert named == set(SERVICES)


def _egress(name: str) -> set[int]:
    policy = of_kind("NetworkPolicy")[name]["spec"]
    return {port["port"] for rule in policy["egress"] for port in rule.get("ports", ())}


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or {"https": 443, "http": 80}[parts.scheme]


def test_policies_open_the_ports_of_the_configurations_addresses(config: Config) -> None:
    kafka = {int(broker.rpartition(":")[2]) for broker in config.kafka.bootstrap_servers.split(",")}
    registry = _port(str(config.kafka.schema_registry_url))
    assert _egress("kafka") == {*kafka, registry}
    assert _egress("flink") == {*kafka, registry, _port(config.require("devices").url), 6443}
    assert _egress("databases") == {config.require("bank").port, config.require("delivery").port}
    assert _egress("bridge") == {urlsplit(config.require("bridge").url).port}
    assert _egress("publisher") == {_port(config.require("capture").connect_url)}
    senders = config.require("senders")
    assert senders.email is not None
    assert senders.sms is not None
    assert senders.sms.smpp is not None
    assert _egress("gateways") == {senders.email.port, senders.sms.smpp.port, 443}
    [rule] = of_kind("NetworkPolicy")["clicks"]["spec"]["ingress"]
    assert [port["port"] for port in rule["ports"]] == [config.require("clicks").port]


def test_secrets_are_named_and_never_written(config: Config) -> None:
    described = _secrets()
    used = set()
    for manifest in (*JOBS.values(), *SERVICES.values()):
        spec = pod(manifest)
        used |= {
            source["secretRef"]["name"]
            for container in spec["containers"]
            for source in container.get("envFrom", ())
        }
        used |= {volume["secret"]["secretName"] for volume in spec["volumes"] if "secret" in volume}
    assert used == set(described)
    assert not [manifest for manifest in rendered() if manifest["kind"] == "Secret"]


def test_every_variable_of_a_secret_is_a_key_of_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    # The bearer is of a gateway that is asked by HTTP, which the file has none of.
    for key, value in (("URL", "https://sms.example"), ("BODY", "{}"), ("SENDER", "Bank")):
        monkeypatch.setenv(f"ALERTS_SENDERS__SMS__HTTP__{key}", value)
    for keys in _secrets().values():
        for key in keys:
            if key.startswith("ALERTS_"):
                monkeypatch.setenv(
                    key, "{}" if key.endswith(("OPTIONS", "CLIENT", "ACCOUNT")) else "anything"
                )
    load(PROJECT / "conf/production.yaml")


def test_every_secret_of_the_configuration_is_in_the_guide() -> None:
    described = {key for keys in _secrets().values() for key in keys if key.startswith("ALERTS_")}
    assert described == set(secret_variables())


def test_variables_in_manifests_are_keys_of_the_configuration(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {
        variable["name"]: variable["value"]
        for service in SERVICES.values()
        for container in pod(service)["containers"]
        for variable in container.get("env", ())
        if variable["name"].startswith("ALERTS_")
    }
    assert found.pop("ALERTS_CONFIG") == "/etc/alerts/config/production.yaml"
    for key, value in found.items():
        monkeypatch.setenv(key, value)
    changed = load(PROJECT / "conf/production.yaml")
    assert changed.require("capture").connect_url == "http://connect:8083"
    assert changed.flink.rest_url == "http://analyst-rules-rest:8081"


def test_own_authority_changes_what_the_base_has() -> None:
    [component] = read(PROJECT / "deploy/kubernetes/overlays/example/private-authority/kustomization.yaml")
    changes = {patch["target"]["kind"]: yaml.safe_load(patch["patch"]) for patch in component["patches"]}
    assert set(changes) == {"FlinkDeployment", "Deployment"}
    for job in JOBS.values():
        [container] = pod(job)["containers"]
        assert "env" not in container  # It is added, and would replace one.
        base = job["spec"]["flinkConfiguration"]["env.java.opts.taskmanager"]
        assert changes["FlinkDeployment"][-1]["value"].startswith(f"{base} -Djavax.net.ssl.trustStore=")
    for service in SERVICES.values():
        [container] = pod(service)["containers"]
        assert container["env"]


def test_overlay_gives_the_configuration() -> None:
    folder = PROJECT / "deploy/kubernetes/overlays/example"
    overlay = kustomization(folder)
    [generator] = overlay["configMapGenerator"]
    [(name, _, source)] = [file.partition("=") for file in generator["files"]]
    assert name == "production.yaml"
    assert (folder / source).resolve() == PROJECT / "conf/production.yaml"
    volumes = {
        volume["configMap"]["name"]
        for manifest in (*JOBS.values(), *SERVICES.values())
        for volume in pod(manifest)["volumes"]
        if "configMap" in volume
    }
    assert volumes == {generator["name"]}
    names = {manifest["metadata"]["name"] for manifest in rendered()}
    assert {replica["name"] for replica in overlay["replicas"]} <= names
    assert {patch["target"]["name"] for patch in overlay["patches"]} <= set(JOBS)
    assert read(BASE / "name-references.yaml")


def test_the_sms_callback_is_reached_at_the_senders_port() -> None:
    folder = PROJECT / "deploy/kubernetes/overlays/example/sms-callback"
    component = kustomization(folder)
    service, policy = (found for name in component["resources"] for found in read(folder / name))
    [patch] = component["patches"]
    sender = SERVICES[patch["target"]["name"]]
    [change] = yaml.safe_load(patch["patch"])
    assert change["path"] == "/spec/template/spec/containers/0/ports/-"
    assert len(pod(sender)["containers"]) == 1
    port = SmsCallback().port
    assert change["value"] == {"name": service["spec"]["ports"][0]["targetPort"], "containerPort": port}
    [rule] = policy["spec"]["ingress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": port}]
    assert rule["from"] == of_kind("NetworkPolicy")["clicks"]["spec"]["ingress"][0]["from"]
    for manifest in (service, policy):
        _validate(manifest)
        [selector] = [each for each in _pod_selectors(manifest) if each]
        assert _selects(selector, sender["spec"]["template"]["metadata"]["labels"])
