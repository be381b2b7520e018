"""Style sheets, scripts and pictures of the pages: read once, compressed, and kept by browsers for good.

Their addresses hold a hash of what they contain: a new version is another address.
"""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request, Response

from account_alerts.config.brand import Brand
from account_alerts.installation import NPM
from account_alerts.model.errors import OperationError

_OWN = Path(__file__).parent / "static"
_FOREVER = "public, max-age=31536000, immutable"
_COMPRESSED = ("text/", "image/svg")
PATH = "/static"


@dataclass(frozen=True)
class _Asset:
    content: bytes
    packed: bytes | None
    media_type: str


class Assets:
    """The files that the pages load, and the bank's colours and logo among them."""

    def __init__(self, brand: Brand) -> None:
        files = {file.name: file.read_bytes() for folder in (_OWN, NPM) for file in _files(folder)}
        files["brand.css"] = brand.style_sheet().encode()
        self.logo: str | None = None
        if brand.logo is not None:
            self.logo = f"logo{brand.logo.suffix}"
            files[self.logo] = brand.logo_path().read_bytes()
        self._files = {name: _asset(name, content) for name, content in files.items()}
        digest = hashlib.sha256()
        for name in sorted(files):
            digest.update(name.encode() + b"\0" + files[name])
        self.version = digest.hexdigest()[:12]

    def url(self, name: str) -> str:
        """Return the address of a file.

        Raises:
            OperationError: There is none.
        """
        if name not in self._files:
            raise OperationError(f"The pages lack the file {name}: run `make install`")
        return f"{PATH}/{self.version}/{name}"

    def router(self) -> APIRouter:
        """Return the route that serves them: to everyone, without a session."""
        router = APIRouter(include_in_schema=False)

        @router.get(f"{PATH}/{{version}}/{{name}}")
        async def asset(request: Request, version: str, name: str) -> Response:
            found = self._files.get(name)
            if found is None:
                return Response(status_code=404)
            # Of another version: a page of before an update, or of another process during one.
            kept = _FOREVER if version == self.version else "no-cache"
            headers = {"Cache-Control": kept, "Vary": "Accept-Encoding"}
            content = found.content
            if found.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
                content, headers["Content-Encoding"] = found.packed, "gzip"
            return Response(content, media_type=found.media_type, headers=headers)

        return router


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*") if file.is_file() and not file.name.startswith("."))


def _asset(name: str, content: bytes) -> _Asset:
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    packed = gzip.compress(content, mtime=0) if media_type.startswith(_COMPRESSED) else None
    return _Asset(content, packed, media_type)
