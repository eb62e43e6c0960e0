"""What was saved is there after a loss of power: ext4 on a loop device that is shut down."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.saved_things import SAVED

SHUTDOWN, WITHOUT_JOURNAL = 0x8004587D, 2  # EXT4_IOC_SHUTDOWN, EXT4_GOING_FLAGS_NOLOGFLUSH
ROUNDS = 3


class Disk:
    """An ext4 file system in a file, mounted at `place`."""

    def __init__(self, folder: Path) -> None:
        self.image, self.place = folder / "disk.img", folder / "disk"
        with self.image.open("wb") as file:
            file.truncate(512 << 20)
        subprocess.run(["mkfs.ext4", "-q", str(self.image)], check=True)
        self.place.mkdir()
        self.mount()

    def mount(self) -> None:
        command = ["mount", "-o", "loop", str(self.image), str(self.place)]
        subprocess.run(command, check=True, capture_output=True)

    def unmount(self) -> None:
        subprocess.run(["umount", str(self.place)], check=True)

    def lose_power(self) -> None:
        """What is not on the disk by now is gone."""
        handle = os.open(self.place, os.O_RDONLY)
        fcntl.ioctl(handle, SHUTDOWN, struct.pack("I", WITHOUT_JOURNAL))
        os.close(handle)
        self.unmount()
        self.mount()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    if sys.platform != "linux" or os.getuid() != 0 or not shutil.which("mkfs.ext4"):
        pytest.skip("only root on Linux mounts a disk in a file")
    try:
        disk = Disk(tmp_path)
    except subprocess.CalledProcessError:
        pytest.skip("this system mounts no disk in a file")
    yield disk
    disk.unmount()


def checksums(home: Path, out: Path, seed: int) -> dict[str, str]:
    paths = [*(out / name for name in SAVED), home / "config" / "settings.json"]
    paths += sorted((home / "data" / "models" / f"model-{seed}").iterdir())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@pytest.mark.slow
def test_what_was_saved_outlasts_a_loss_of_power(disk: Disk, untrained_model: Path) -> None:
    home, out = disk.place / "home", disk.place / "out"
    out.mkdir()
    os.sync()
    for seed in range(ROUNDS):
        subprocess.run(
            [sys.executable, "-m", "tests.e2e.saved_things", out, untrained_model, str(seed)],
            check=True,
            env={**os.environ, "LIVERSEG_HOME": str(home)},
        )
        before = checksums(home, out, seed)
        disk.lose_power()
        assert checksums(home, out, seed) == before
