"""One step of spiking neurons, forward and backward, for a whole row of neurons at a time.

A compiler does not turn loops over this many arrays into vector instructions, so they are written as such.
Rows are padded to whole tiles of `row_kernels.TILE` neurons; `hearspike.baselines.neurons` has the equations.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from hearspike.baselines.row_kernels import (
    FLOAT,
    LONG,
    VECTOR,
    VECTOR_KIND,
    ArrayArgument,
    Node,
    array_arguments,
    find_function,
    loop,
    repeat,
)

ALPHA, BETA, THETA, RHO, KAPPA = range(5)
"""Rows of ``constants`` [5, width] and of their gradients."""
CURRENT, MEMBRANE, ADAPTATION = range(3)
"""Rows of ``traces`` [3, sample, step, width]."""
FIRED = DISTANCE = CURRENT
"""Row of a state that holds the last spikes, or, backwards, the gradient of the distance from threshold."""


class _Vector:
    """Neighbouring neurons' numbers; sums of products may be contracted."""

    def __init__(self, builder: Node, value: Node) -> None:
        self.builder, self.value = builder, value

    def _with(self, operation: str, other: "_Vector") -> "_Vector":
        make = getattr(self.builder, operation)
        return _Vector(self.builder, make(self.value, other.value, flags=("contract",)))

    def __add__(self, other: "_Vector") -> "_Vector":
        return self._with("fadd", other)

    def __sub__(self, other: "_Vector") -> "_Vector":
        return self._with("fsub", other)

    def __mul__(self, other: "_Vector") -> "_Vector":
        return self._with("fmul", other)

    def __truediv__(self, other: "_Vector") -> "_Vector":
        return self._with("fdiv", other)

    def __abs__(self) -> "_Vector":
        kind = ir.FunctionType(VECTOR_KIND, [VECTOR_KIND])
        absolute = find_function(self.builder.module, kind, f"llvm.fabs.v{VECTOR}f32")
        return _Vector(self.builder, self.builder.call(absolute, [self.value]))

    def where_above(self, limit: "_Vector", yes: "_Vector", no: "_Vector") -> "_Vector":
        """Return ``yes`` where this is above ``limit``, and ``no`` elsewhere or where it is not a number."""
        above = self.builder.fcmp_ordered(">", self.value, limit.value)
        return _Vector(self.builder, self.builder.select(above, yes.value, no.value))


class _Row:
    """One row of a matrix, or all of an array of one dimension, of which one vector is in use."""

    def __init__(self, array: ArrayArgument, at: Node, row: int = 0) -> None:
        self.builder = array.builder
        place = self.builder.add(self.builder.mul(array.row, LONG(row)), at)
        (self.pointer,) = array.vectors(place, 1)

    def load(self) -> _Vector:
        return _Vector(self.builder, self.builder.load(self.pointer, align=4))

    def store(self, vector: _Vector) -> None:
        self.builder.store(vector.value, self.pointer, align=4)


def _same(builder: Node, number: float | Node) -> _Vector:
    """Return a vector of equal numbers."""
    return _Vector(builder, repeat(builder, FLOAT(number) if isinstance(number, float) else number))


def _advance(
    typing: Node,
    drive: Node,
    current: Node,
    state: Node,
    constants: Node,
    hold: Node,
    drop: Node,
    limit: Node,
    distance: Node,
) -> Any:  # noqa: ANN401  # as `Node`
    """Take current, membrane, adaptation and last spikes, rows of ``state`` [3, width], one step on."""

    def generate(context: Node, builder: Node, signature: Node, arguments: Node) -> Node:
        pairs = [(signature.args[k], arguments[k]) for k in (0, 1, 2, 3, 5, 7)]
        drives, flows, states, numbers, drops, result = (
            ArrayArgument(context, builder, *pair) for pair in pairs
        )
        one, zero = _same(builder, 1.0), _same(builder, 0.0)
        held, ceiling = _same(builder, arguments[4]), _same(builder, arguments[6])

        def step(index: Node, sums: list[Node]) -> list[Node]:
            at = builder.mul(index, LONG(VECTOR))
            alpha, beta, theta, rho, kappa = (
                _Row(numbers, at, k).load() for k in (ALPHA, BETA, THETA, RHO, KAPPA)
            )
            membrane, adaptation, fired = (_Row(states, at, k) for k in (MEMBRANE, ADAPTATION, FIRED))
            flow, before = _Row(flows, at), fired.load()
            current = alpha * flow.load() + _Row(drives, at).load()
            flow.store(current)
            free = beta * membrane.load() + current
            now = free * (one - held * before) - _Row(drops, at).load() * before
            adapted = rho * adaptation.load() + before
            over = now - theta - kappa * adapted
            membrane.store(now)
            adaptation.store(adapted)
            fired.store(over.where_above(ceiling, one, zero))
            _Row(result, at).store(over)
            return sums

        loop(builder, LONG(0), builder.sdiv(flows.row, LONG(VECTOR)), [], step)
        return context.get_dummy_value()

    single = types.float32
    return types.void(drive, current, state, constants, single, drop, single, distance), generate


def _go_back(
    typing: Node,
    by_spike: Node,
    distance: Node,
    distance_before: Node,
    constants: Node,
    state: Node,
    by_current_after: Node,
    by_current: Node,
    hold: Node,
    slope: Node,
) -> Any:  # noqa: ANN401  # as `Node`
    """Take the gradients of distance, membrane, adaptation (``state`` [3, width]) and current a step back."""

    def generate(context: Node, builder: Node, signature: Node, arguments: Node) -> Node:
        spike, over, over_before, numbers, states, after, result = array_arguments(
            context, builder, signature, arguments, 7
        )
        one, zero = _same(builder, 1.0), _same(builder, 0.0)
        held, steepness = _same(builder, arguments[7]), _same(builder, arguments[8])

        def step(index: Node, sums: list[Node]) -> list[Node]:
            at = builder.mul(index, LONG(VECTOR))
            alpha, beta, rho, kappa = (_Row(numbers, at, k).load() for k in (ALPHA, BETA, RHO, KAPPA))
            membrane, adaptation = _Row(states, at, MEMBRANE), _Row(states, at, ADAPTATION)
            root = steepness * abs(_Row(over, at).load()) + one
            by_distance = (_Row(spike, at).load() + adaptation.load()) / (root * root)
            free = _Row(over_before, at).load().where_above(zero, one - held, one)
            by_membrane = free * (by_distance + beta * membrane.load())
            _Row(states, at, DISTANCE).store(by_distance)
            membrane.store(by_membrane)
            adaptation.store(rho * adaptation.load() - kappa * by_distance)
            _Row(result, at).store(by_membrane + alpha * _Row(after, at).load())
            return sums

        loop(builder, LONG(0), builder.sdiv(spike.row, LONG(VECTOR)), [], step)
        return context.get_dummy_value()

    arrays = (by_spike, distance, distance_before, constants, state, by_current_after, by_current)
    return types.void(*arrays, types.float32, types.float32), generate


# Numba's decorator hides what these take from a checker of types.
advance: Node = intrinsic(_advance)
go_back: Node = intrinsic(_go_back)
