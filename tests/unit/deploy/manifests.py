"""The manifests as kustomize renders them: the files of the base, with its patches applied."""

from pathlib import Path
from typing import Any

import yaml

from account_alerts.config import PROJECT

Manifest = dict[str, Any]
BASE = PROJECT / "deploy/kubernetes/base"
MONITORING = PROJECT / "deploy/monitoring"


def read(file: Path) -> list[Manifest]:
    """Read the documents of a YAML file."""
    return [document for document in yaml.safe_load_all(file.read_text()) if document]


def kustomization(folder: Path = BASE) -> Manifest:
    """Read a folder's kustomization."""
    [found] = read(folder / "kustomization.yaml")
    return found


def rendered() -> list[Manifest]:
    """Apply the base's patches, as kustomize does; a patch may select by kind and by the name of a label."""
    base = kustomization()
    manifests = [document for name in base["resources"] for document in read(BASE / name)]
    for patch in base["patches"]:
        target, [change] = patch["target"], read(BASE / patch["path"])
        change.pop("metadata")
        label = target.get("labelSelector")
        manifests = [
            _merge(manifest, change)
            if manifest["kind"] == target["kind"]
            and (label is None or label in manifest["metadata"].get("labels", {}))
            else manifest
            for manifest in manifests
        ]
    return manifests


def _merge(value: Any, change: Any) -> Any:
    """Merge objects key by key, lists of named objects by their names; anything else is replaced."""
    if isinstance(value, dict) and isinstance(change, dict):
        return {
            **value,
            **{key: _merge(value[key], part) if key in value else part for key, part in change.items()},
        }
    if isinstance(value, list) and isinstance(change, list) and all("name" in part for part in change):
        named = {part["name"]: part for part in value}
        for part in change:
            named[part["name"]] = _merge(named.get(part["name"], {}), part)
        return list(named.values())
    return change


def of_kind(kind: str) -> dict[str, Manifest]:
    """Choose the rendered manifests of a kind, by name."""
    return {manifest["metadata"]["name"]: manifest for manifest in rendered() if manifest["kind"] == kind}


def pod(manifest: Manifest) -> Manifest:
    """Read the pods' specification of a Deployment, or of a FlinkDeployment."""
    spec = manifest["spec"]
    found: Manifest = spec["podTemplate" if manifest["kind"] == "FlinkDeployment" else "template"]["spec"]
    return found
