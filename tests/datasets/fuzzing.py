"""Damaged spike files: bytes overwritten, cut off or moved, and wrong values in a whole file."""

import struct
from pathlib import Path

import h5py
import numpy as np

from hearspike.datasets import write_spike_file


def write_good(path: Path) -> None:
    """Write the small file that all damage starts from."""
    rng = np.random.default_rng(0)
    counts = (5, 0, 12, 3)
    write_spike_file(
        path,
        [np.sort(rng.uniform(0, 1.3, count)) for count in counts],
        [rng.integers(0, 700, count) for count in counts],
        labels=[2, 0, 1, 1],
        speakers=[1, 0, 1, 0],
        classes=("zero", "one", "zwölf"),
        sources=("a", "b", "c", "d"),
        speaker_info={"name": ["anna", "bert"]},
        attributes={"corpus": "test"},
        time_type="float16",
    )


def damage_bytes(content: bytes, rng: np.random.Generator) -> bytes:
    """Return the file with some of its bytes wrong, or a part missing, doubled or moved."""
    damaged = bytearray(content)
    kind = rng.integers(6)
    place = int(rng.integers(len(damaged)))
    if kind == 0:
        return bytes(damaged[:place])
    if kind == 1:
        for where in rng.integers(len(damaged), size=rng.integers(1, 20)):
            damaged[where] = int(rng.integers(256))
    elif kind == 2:  # sizes and addresses are 8 bytes in little-endian order
        value = int(rng.choice(np.array([0, 1, 2**16, 2**31, 2**32 - 1, 2**40, 2**63 - 1])))
        damaged[place // 8 * 8 : place // 8 * 8 + 8] = struct.pack("<Q", value)
    elif kind == 3:
        length = int(rng.integers(1, 200))
        damaged[place : place + length] = rng.bytes(len(damaged[place : place + length]))
    elif kind == 4:
        other = int(rng.integers(len(damaged)))
        damaged[place : place + 64] = damaged[other : other + 64]
    else:
        bit = int(rng.integers(8))
        damaged[place] ^= 1 << bit
    return bytes(damaged)


def damage_values(path: Path, rng: np.random.Generator) -> None:
    """Put wrong values, types, shapes or lengths into a whole HDF5 file."""
    names = ["spikes/times", "spikes/units", "labels", "extra/keys", "extra/speaker"]
    name = str(rng.choice(names))
    with h5py.File(path, "r+") as file:
        kind = rng.integers(7)
        if kind == 0:
            del file[str(rng.choice([*names, "extra/meta_info", "spikes", "extra"]))]
            return
        if kind == 1:
            file.attrs["channels"] = rng.choice(np.array([-1, 0, 3, 2**40]))
            return
        if kind == 2:
            file.attrs["channels"] = "many"
            return
        old = file[name]
        samples = int(rng.choice(np.array([0, 3, 4, 5])))
        del file[name]
        if kind == 3:  # a size that nothing stands behind
            claimed = int(rng.choice(np.array([10**6, 10**9, 10**15])))
            file.create_dataset(name, (claimed,), dtype=old.dtype, chunks=(1024,))
        elif kind == 4:
            file.create_dataset(name, data=rng.normal(size=(samples, 2)))
        elif kind == 5:
            file.create_group(name)
        else:
            base = np.dtype(str(rng.choice(["f2", "f4", "f8", "i2", "i8", "u2", "u8"])))
            data = np.empty(samples, dtype=object)
            specials = [np.nan, np.inf, -np.inf, -1.0, 700.0, 65535.0, 1e300, 0.0, 0.5]
            for index in range(samples):
                with np.errstate(all="ignore"):
                    row = rng.choice(np.array(specials), size=rng.integers(0, 8))
                    if base.kind != "f":
                        row = np.nan_to_num(row, nan=3, posinf=2**15, neginf=-5)
                    data[index] = row.astype(base)
            space = h5py.vlen_dtype(base)
            target = file.create_dataset(name, (samples,), space)
            for index in range(samples):
                target[index] = data[index]
