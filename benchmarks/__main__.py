"""Every benchmark in turn, each in a process of its own.

python -m benchmarks [name ...]        # spine openalex io fusion frontier cascade
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ORDER = ("spine", "openalex", "io", "fusion", "frontier", "cascade")


def main() -> int:
    """Run those named, or all that are there."""
    names = sys.argv[1:] or [name for name in ORDER if (HERE / f"bench_{name}.py").exists()]
    worst = 0
    for name in names:
        print(f"\n=== {name} ===", flush=True)
        worst |= subprocess.run([sys.executable, str(HERE / f"bench_{name}.py")], check=False).returncode
    return worst


if __name__ == "__main__":
    sys.exit(main())
