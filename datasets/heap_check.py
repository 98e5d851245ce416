"""Do an HDF5 file's variable-length arrays work out? Asked before the library reads them.

The library follows what a file claims: from some damaged files it never returns, for others it takes all
memory. Such arrays lie in "global heap collections" (HDF5 File Format Specification 3.0, III.E): signature
``GCOL``, version 1, three bytes, the collection's size (8 bytes), then objects, each with its index (2
bytes), reference count (2), reserved (4), size (8) and content padded to 8 bytes. Object 0 is free space,
and its size includes its own header. The library goes from object to object by these sizes; a free space of
size 0 keeps it where it is for ever. A data set holds for every array (IV.B) its length (4 bytes), the
address of its collection (8) and the index of its object (4).
"""

import mmap
import struct
from pathlib import Path

import h5py
import numpy as np

from hearspike.datasets.contract import Breach

SIGNATURE = b"GCOL\x01"
HEADER = 16
"""Bytes of the header of a collection, and of an object."""

REFERENCE = np.dtype([("length", "<u4"), ("address", "<u8"), ("index", "<u4")])
"""How a data set refers to an array."""

Heaps = dict[int, dict[int, int]]
"""Address of a collection → index of an object → its size in bytes."""


def check_heaps(path: Path) -> tuple[Heaps, list[Breach]]:
    """Return the heaps of a file, and a breach if one is damaged."""
    heaps: Heaps = {}
    if not path.stat().st_size:
        return heaps, []
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        place = content.find(SIGNATURE)
        while place >= 0:
            objects, stop = _read_heap(content, place)
            if stop is None:
                found = f"a file that cannot be read (a damaged heap at byte {place})"
                return {}, [Breach("/", found, "an HDF5 file, whole")]
            heaps[place] = objects
            place = content.find(SIGNATURE, stop)
    return heaps, []


def _read_heap(content: mmap.mmap, start: int) -> tuple[dict[int, int], int | None]:
    """Go from object to object; return their sizes and where the collection ends, None if that fails."""
    objects: dict[int, int] = {}
    if start + HEADER > len(content):
        return objects, None
    (size,) = struct.unpack_from("<Q", content, start + 8)
    stop = start + size
    if size < HEADER or stop > len(content):
        return objects, None
    place = start + HEADER
    while place + HEADER <= stop:
        index, _, _, length = struct.unpack_from("<HHIQ", content, place)
        step = HEADER + -(-length // 8) * 8 if index else length
        if step < HEADER or place + step > stop:
            return objects, None
        if index:
            objects[index] = length
        place += step
    return objects, int(stop)


def check_lengths(file: h5py.File, path: Path, name: str, heaps: Heaps) -> list[Breach]:
    """Compare the claimed length of every array of a data set with what lies in the heap.

    Data sets that are compressed, or that stand in files with another width of addresses, are left to
    the library.
    """
    dataset = file[name]
    settings = file.id.get_create_plist()
    creation = dataset.id.get_create_plist()
    if settings.get_sizes() != (8, 8) or settings.get_userblock() or creation.get_nfilters():
        return []
    element = np.dtype(h5py.check_vlen_dtype(dataset.dtype)).itemsize
    rows = 0
    with path.open("rb") as content:
        for address, count in _extents(dataset):
            content.seek(address)
            raw = content.read(count * REFERENCE.itemsize)
            references = np.frombuffer(raw[: len(raw) // REFERENCE.itemsize * REFERENCE.itemsize], REFERENCE)
            for length, heap, index in references.tolist():
                if length and heaps.get(heap, {}).get(index, -1) < length * element:
                    return [Breach(f"{name}[{rows}]", f"{length} entries", "as many as the file holds")]
                rows += 1
    return []


def _extents(dataset: h5py.Dataset) -> list[tuple[int, int]]:
    """Places in the file, and number of references in each."""
    if dataset.chunks is None:
        address = dataset.id.get_offset()
        return [] if address is None else [(address, len(dataset))]
    chunks = (dataset.id.get_chunk_info(number) for number in range(dataset.id.get_num_chunks()))
    return [(chunk.byte_offset, dataset.chunks[0]) for chunk in chunks if chunk.byte_offset is not None]
