"""The process that learns where everybody belongs: `python -m brains.matching.study_process`.

It reads a study from standard input and writes the profiles to standard output, both files without a name.
"""

from __future__ import annotations

import os
import sys

from brains.engines.confinement import NICE, follow
from brains.matching.storing import to_bytes
from brains.matching.study import Study


def main() -> int:
    """Learn once."""
    follow()
    study = Study.read(sys.stdin.buffer)
    if study.rehearsed:  # nobody waits for it
        os.nice(NICE)
    sys.stdout.buffer.write(to_bytes(study.profiles()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
