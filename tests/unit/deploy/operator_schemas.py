"""The schemas of operators' own resources, read from the packages that publish them.

`python -m tests.unit.deploy.operator_schemas` writes them anew into schemas/, with npm, after a change of a
version here. The packages are made from the operators' custom resource definitions; they describe them as
TypeScript interfaces, in which this reads the keys and their types. Unlike Kubernetes, which drops a key it
does not know, the schemas refuse it.
"""

import hashlib
import json
import re
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Schema = dict[str, Any]
FOLDER = Path(__file__).parent / "schemas"
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[A-Za-z_][\w.]*|[{}<>|;:?,()\[\]]')
_PLAIN: dict[str, Schema] = {
    "string": {"type": "string"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "any": {},
    "IIoK8sApimachineryPkgUtilIntstrIntOrString": {"type": ["integer", "string"]},
    "IObjectMeta": {"type": "object"},
    "IIoK8sApimachineryPkgApisMetaV1ObjectMeta": {"type": "object"},
}


@dataclass(frozen=True)
class Package:
    """A package of an operator's resources."""

    name: str
    version: str
    sha256: str
    interfaces: dict[str, str]
    """The resources that are wanted: kind, and the file that declares it."""
    left_out: tuple[str, ...] = ()
    """Keys that are not described: Kubernetes' own schemas do so, or nobody writes them."""


PACKAGES = (
    Package(
        "@kubernetes-models/flink",
        "1.0.1",
        "872e2b6e9b8e90e0b9c4d2c477407e853e2fdd0c121d1bec0a0198b4a610b4ca",
        {"FlinkDeployment": "flink.apache.org/v1beta1/FlinkDeployment.d.ts"},
        ("podTemplate", "status"),
    ),
    Package(
        "@kubernetes-models/prometheus-operator",
        "6.0.0",
        "e92402ebff400ea1ca5fe60546554841ab6f5986b317f3f0d4cb756dc88fbd37",
        {"PrometheusRule": "monitoring.coreos.com/v1/PrometheusRule.d.ts"},
        ("status",),
    ),
)


@dataclass
class _Reader:
    """Reads the interfaces of a folder of declarations."""

    folder: Path
    left_out: tuple[str, ...]
    tokens: list[str] = field(default_factory=list)

    def interface(self, file: Path) -> Schema:
        text = re.sub(r"/\*.*?\*/", "", file.read_text(), flags=re.DOTALL)
        match = re.search(r"export interface \w+(?: extends TypeMeta)? (\{.*?\n\})", text, re.DOTALL)
        if match is None:
            match = re.search(r"export type \w+ = ([^;]+;)", text)
        assert match, file
        outer, self.tokens = self.tokens, _TOKEN.findall(match.group(1))
        try:
            return self._type()
        finally:
            self.tokens = outer

    def _take(self, wanted: str | None = None) -> str:
        token = self.tokens.pop(0)
        assert wanted in (None, token), (wanted, token, self.tokens[:5])
        return token

    def _type(self) -> Schema:
        options = [self._one()]
        while self.tokens and self.tokens[0] == "|":
            self._take()
            options.append(self._one())
        if len(options) == 1:
            return options[0]
        if all("const" in option for option in options):
            return {"enum": [option["const"] for option in options]}
        return {"anyOf": options}

    def _one(self) -> Schema:
        token = self._take()
        if token == "{":
            return self._object()
        if token == "Array":
            self._take("<")
            items = self._type()
            self._take(">")
            return {"type": "array", "items": items}
        if token.startswith('"'):
            return {"const": json.loads(token)}
        if token in _PLAIN:
            return dict(_PLAIN[token])
        # Another interface of the package, in a file of its name.
        found = [
            file for file in self.folder.glob("*.d.ts") if token.endswith(f"V1{file.name.split('.')[0]}")
        ]
        if not found:
            return {}  # Kubernetes' own, described elsewhere.
        return self.interface(max(found, key=lambda file: len(file.name)))

    def _object(self) -> Schema:
        properties: Schema = {}
        required: list[str] = []
        others: Schema | bool = False
        while self.tokens[0] != "}":
            token = self._take()
            if token == "[":
                while self._take() != "]":
                    pass
                self._take(":")
                others = self._type()
            else:
                key = json.loads(token)
                if self.tokens[0] == "?":
                    self._take()
                elif key not in self.left_out:
                    required.append(key)
                self._take(":")
                value = self._type()
                properties[key] = {} if key in self.left_out else value
            self._take(";")
        self._take("}")
        if not properties and others is False:
            others = True  # Anything may stand there.
        return {
            "type": "object",
            **({"properties": properties} if properties else {}),
            **({"required": required} if required else {}),
            "additionalProperties": others,
        }


def read(package: Package) -> dict[str, Schema]:
    """Fetch a package with npm and read the schemas of its resources.

    Raises:
        ValueError: The package is not the one that was agreed on.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", f"{package.name}@{package.version}"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        [archive] = Path(folder).glob("*.tgz")
        sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
        if sha256 != package.sha256:
            raise ValueError(f"{package.name}@{package.version}: SHA-256 is {sha256}, not {package.sha256}")
        with tarfile.open(archive) as files:
            files.extractall(folder, filter="data")
        root = Path(folder) / "package"
        return {
            kind: _Reader((root / name).parent, package.left_out).interface(root / name)
            for kind, name in package.interfaces.items()
        }


def file(kind: str) -> Path:
    """Name the file that has the schema of a resource."""
    return FOLDER / f"{kind}.schema.json"


def main() -> None:
    """Write the schemas of all packages."""
    FOLDER.mkdir(exist_ok=True)
    for package in PACKAGES:
        for kind, schema in read(package).items():
            described = {"$comment": f"From {package.name} {package.version}: do not edit", **schema}
            file(kind).write_text(json.dumps(described, indent=1) + "\n")


if __name__ == "__main__":
    main()
