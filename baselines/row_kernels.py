"""The inner loops of spiking layers, with their sums held in vector registers.

A compiler given plain loops writes every partial sum back to memory. Here the sums of a tile of `TILE`
neurons stay in registers while row after row is added, so the speed is that at which the cache delivers rows.
Matrices are stored tile by tile, [tile, row, `TILE`]: the part of a tile that is in use then fits the
innermost cache. The order of additions is fixed.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

VECTOR = 16
"""Numbers in a vector: what a 512-bit register holds; a machine with smaller ones uses several."""
TILE = 4 * VECTOR
"""Neurons in a tile."""
ROWS, COLUMNS = 4, 2 * VECTOR
"""Rows and columns of a product whose sums are held at once."""

SMALL = 6000
"""Numbers that fit the innermost cache, with room to spare."""

FLOAT, LONG, INT = ir.FloatType(), ir.IntType(64), ir.IntType(32)
VECTOR_KIND = ir.VectorType(FLOAT, VECTOR)
_ZERO = ir.Constant(VECTOR_KIND, [0.0] * VECTOR)

Node = Any
"""Something of llvmlite or numba that has no public type."""
find_function: Node = cgutils.get_or_insert_function


class ArrayArgument:
    """An array argument as the code generator sees it: a pointer to its numbers and the length of a row."""

    def __init__(self, context: Node, builder: Node, kind: Node, value: Node) -> None:
        array = context.make_array(kind)(context, builder, value)
        self.builder, self.data = builder, array.data
        self.row = builder.extract_value(array.shape, kind.ndim - 1)

    def vectors(self, index: Node, count: int) -> list[Node]:
        """Return pointers to ``count`` vectors that begin at number ``index``."""
        first = self.builder.bitcast(self.builder.gep(self.data, [index]), VECTOR_KIND.as_pointer())
        return [self.builder.gep(first, [LONG(k)]) for k in range(count)]

    def load(self, index: Node, count: int) -> list[Node]:
        """Return ``count`` vectors that begin at number ``index``."""
        return [self.builder.load(pointer, align=4) for pointer in self.vectors(index, count)]

    def number(self, index: Node) -> Node:
        """Return one number."""
        return self.builder.load(self.builder.gep(self.data, [index]))


def array_arguments(
    context: Node, builder: Node, signature: Node, arguments: Node, count: int
) -> list[ArrayArgument]:
    """Return the first ``count`` arguments, which are arrays."""
    pairs = zip(signature.args[:count], arguments[:count], strict=True)
    return [ArrayArgument(context, builder, kind, value) for kind, value in pairs]


def repeat(builder: Node, number: Node) -> Node:
    """Return a vector of equal numbers."""
    nothing = ir.Constant(VECTOR_KIND, ir.Undefined)
    one = builder.insert_element(nothing, number, INT(0))
    return builder.shuffle_vector(one, nothing, ir.Constant(ir.VectorType(INT, VECTOR), [0] * VECTOR))


def _multiply_add(builder: Node, total: Node, left: Node, right: Node) -> Node:
    return builder.fadd(total, builder.fmul(left, right, flags=("contract",)), flags=("contract",))


def loop(
    builder: Node, begin: Node, end: Node, sums: list[Node], step: Callable[[Node, list[Node]], list[Node]]
) -> list[Node]:
    """Emit ``for index in range(begin, end): sums = step(index, sums)`` and return the last sums."""
    before = builder.block
    head, body, done = (builder.append_basic_block(name) for name in ("head", "body", "done"))
    builder.branch(head)
    builder.position_at_end(head)
    index = builder.phi(LONG)
    index.add_incoming(begin, before)
    states = [builder.phi(VECTOR_KIND) for _ in sums]
    for state, start in zip(states, sums, strict=True):
        state.add_incoming(start, before)
    builder.cbranch(builder.icmp_signed("<", index, end), body, done)
    builder.position_at_end(body)
    results = step(index, states)
    index.add_incoming(builder.add(index, LONG(1)), body)
    for state, result in zip(states, results, strict=True):
        state.add_incoming(result, body)
    builder.branch(head)
    builder.position_at_end(done)
    return states


def _add_rows(
    typing: Node, total: Node, table: Node, units: Node, values: Node, at: Node, begin: Node, end: Node
) -> Node:
    """Add ``values[e] * table[units[e]]`` to ``total[at : at + TILE]`` for the entries from begin to end."""

    def generate(context: Node, builder: Node, signature: Node, arguments: Node) -> Node:
        out, rows, index, factors = array_arguments(context, builder, signature, arguments, 4)
        column, first, last = arguments[4:]
        count = TILE // VECTOR

        def step(entry: Node, sums: list[Node]) -> list[Node]:
            place = builder.mul(builder.zext(index.number(entry), LONG), LONG(TILE))
            factor = repeat(builder, factors.number(entry))
            row = rows.load(place, count)
            return [_multiply_add(builder, a, factor, b) for a, b in zip(sums, row, strict=True)]

        sums = loop(builder, first, last, out.load(column, count), step)
        for pointer, result in zip(out.vectors(column, count), sums, strict=True):
            builder.store(result, pointer, align=4)
        return context.get_dummy_value()

    return types.void(total, table, units, values, types.int64, types.int64, types.int64), generate


def _scatter_row(
    typing: Node, table: Node, row: Node, units: Node, values: Node, at: Node, begin: Node, end: Node
) -> Node:
    """Add ``values[e] * row[at : at + TILE]`` to ``table[units[e]]`` for the entries from begin to end."""

    def generate(context: Node, builder: Node, signature: Node, arguments: Node) -> Node:
        rows, one, index, factors = array_arguments(context, builder, signature, arguments, 4)
        column, first, last = arguments[4:]
        count = TILE // VECTOR
        held = one.load(column, count)

        def step(entry: Node, sums: list[Node]) -> list[Node]:
            place = builder.mul(builder.zext(index.number(entry), LONG), LONG(TILE))
            factor = repeat(builder, factors.number(entry))
            totals = zip(rows.vectors(place, count), rows.load(place, count), held, strict=True)
            for pointer, total, part in totals:
                builder.store(_multiply_add(builder, total, factor, part), pointer, align=4)
            return sums

        loop(builder, first, last, [], step)
        return context.get_dummy_value()

    return types.void(table, row, units, values, types.int64, types.int64, types.int64), generate


def _multiplier(rows: int) -> Node:
    def multiply_rows(
        typing: Node, result: Node, left: Node, right: Node, row: Node, column: Node, inner: Node
    ) -> Node:
        """Write the product of some rows of ``left`` with some columns of ``right``, a matrix in tiles."""

        def generate(context: Node, builder: Node, signature: Node, arguments: Node) -> Node:
            out, factors, table = array_arguments(context, builder, signature, arguments, 3)
            first, column, inner = arguments[3:]
            count = COLUMNS // VECTOR
            numbers = [builder.add(first, LONG(k)) for k in range(rows)]
            starts = [builder.mul(number, factors.row) for number in numbers]
            inside = builder.urem(column, LONG(TILE))
            tile = builder.add(builder.mul(builder.sub(column, inside), inner), inside)

            def step(index: Node, sums: list[Node]) -> list[Node]:
                row = table.load(builder.add(tile, builder.mul(index, LONG(TILE))), count)
                results = []
                for k, start in enumerate(starts):
                    factor = repeat(builder, factors.number(builder.add(start, index)))
                    mine = sums[k * count : (k + 1) * count]
                    results += [_multiply_add(builder, a, factor, b) for a, b in zip(mine, row, strict=True)]
                return results

            sums = loop(builder, LONG(0), inner, [_ZERO] * (rows * count), step)
            for k, number in enumerate(numbers):
                place = builder.add(builder.mul(number, out.row), column)
                for j, pointer in enumerate(out.vectors(place, count)):
                    builder.store(sums[k * count + j], pointer, align=4)
            return context.get_dummy_value()

        return types.void(result, left, right, types.int64, types.int64, types.int64), generate

    return intrinsic(multiply_rows)


_multiply_rows, _multiply_row = _multiplier(ROWS), _multiplier(1)


@njit(cache=True)
def multiply(result: Floats, left: Floats, right: Floats) -> None:
    """Write the product of ``left`` [row, padded inner] with a matrix [inner, column] in tiles to ``result``.

    ``result`` is [row, padded column].
    """
    rows, inner, columns = len(left), right.shape[1], len(right) * TILE
    whole = rows - rows % ROWS
    # What stays in the innermost cache: a few columns of the matrix, or, where it is small, all of it.
    stride = columns if inner * columns <= SMALL else COLUMNS
    for start in range(0, columns, stride):
        for row in range(0, whole, ROWS):
            for column in range(start, start + stride, COLUMNS):
                _multiply_rows(result, left, right, row, column, inner)
        for row in range(whole, rows):
            for column in range(start, start + stride, COLUMNS):
                _multiply_row(result, left, right, row, column, inner)


def _bit_maker(comparison: str) -> Node:
    def bits(typing: Node, row: Node, at: Node) -> Node:
        """Return a number whose bit k says how ``row[at + k]`` compares with 0, for a tile of numbers."""

        def generate(context: Node, builder: Node, signature: Node, arguments: Node) -> Node:
            (array,) = array_arguments(context, builder, signature, arguments, 1)
            result = LONG(0)
            for k, vector in enumerate(array.load(arguments[1], TILE // VECTOR)):
                lanes = (
                    builder.fcmp_unordered(comparison, vector, _ZERO)
                    if comparison == "!="
                    else builder.fcmp_ordered(comparison, vector, _ZERO)
                )
                part = builder.zext(builder.bitcast(lanes, ir.IntType(VECTOR)), LONG)
                result = builder.or_(result, builder.shl(part, LONG(k * VECTOR)))
            return result

        return types.uint64(row, types.int64), generate

    return intrinsic(bits)


bits_above_zero, bits_not_zero = _bit_maker(">"), _bit_maker("!=")


def _fetch(typing: Node, row: Node, at: Node) -> Node:
    """Ask the memory for a vector of numbers that will be needed."""

    def generate(context: Node, builder: Node, signature: Node, arguments: Node) -> Node:
        (array,) = array_arguments(context, builder, signature, arguments, 1)
        pointer = builder.bitcast(builder.gep(array.data, [arguments[1]]), ir.IntType(8).as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer(), INT, INT, INT])
        function = find_function(builder.module, kind, "llvm.prefetch.p0i8")
        builder.call(function, [pointer, INT(0), INT(3), INT(1)])
        return context.get_dummy_value()

    return types.void(row, types.int64), generate


def _first_bit(typing: Node, bits: Node) -> Node:
    """Return the number of the lowest bit that is set."""

    def generate(context: Node, builder: Node, signature: Node, arguments: Node) -> Node:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), generate


def _count_bits(typing: Node, bits: Node) -> Node:
    """Return how many bits are set."""

    def generate(context: Node, builder: Node, signature: Node, arguments: Node) -> Node:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate


# Numba's decorator hides what these take from a checker of types.
add_rows: Node = intrinsic(_add_rows)
scatter_row: Node = intrinsic(_scatter_row)
fetch: Node = intrinsic(_fetch)
first_bit: Node = intrinsic(_first_bit)
count_bits: Node = intrinsic(_count_bits)


def padded(matrix: Floats) -> Floats:
    """Return the matrix in one piece, with columns of 0 up to the next multiple of `TILE`."""
    missing = -matrix.shape[1] % TILE
    return np.ascontiguousarray(np.pad(matrix, ((0, 0), (0, missing))) if missing else matrix)


def in_tiles(matrix: Floats) -> Floats:
    """Return [row, column] as [tile, row, `TILE`], so that the columns of a tile lie together."""
    whole = padded(matrix)
    tiles = whole.reshape(len(whole), whole.shape[1] // TILE, TILE)
    return np.ascontiguousarray(tiles.transpose(1, 0, 2))
