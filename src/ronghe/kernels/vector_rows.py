"""Row sums over a sparse matrix for several right-hand sides held side by side, as vector instructions.

Numba does not keep a short array of running sums in a vector register, and these rows are the innermost
loop of the cascade; so the two row operations are written down for LLVM, which lowers them to whatever
vectors the processor has. Arrays of right-hand sides have shape (n, LANES[dtype]): 32 bytes a row, which
measured faster than 64 because twice as many firms stay in cache.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

LANES = {np.dtype(np.float64): 4, np.dtype(np.float32): 8}
_WIDTH = {types.float64: 4, types.float32: 8}
_REAL = {types.float64: ir.DoubleType(), types.float32: ir.FloatType()}
_INT = ir.IntType(64)


class _Rows:
    """The arrays of one call, with loads and stores of scalars and of whole rows."""

    def __init__(self, context: Any, builder: Any, signature: Any, args: Any, real: Any) -> None:
        self.builder, self.real = builder, _REAL[real]
        self.lanes = _WIDTH[real]
        self.vector = ir.VectorType(self.real, self.lanes)
        self.bytes = 8 if real == types.float64 else 4
        self.args = [
            context.make_array(kind)(context, builder, arg).data if isinstance(kind, types.Array) else arg
            for kind, arg in zip(signature.args, args, strict=True)
        ]

    def scalar(self, array: int, at: Any) -> Any:
        return self.builder.load(self.builder.gep(self.args[array], [at]))

    def _address(self, array: int, row: Any) -> Any:
        start = self.builder.gep(self.args[array], [self.builder.mul(row, _INT(self.lanes))])
        return self.builder.bitcast(start, self.vector.as_pointer())

    def load(self, array: int, row: Any) -> Any:
        return self.builder.load(self._address(array, row), align=self.bytes)

    def store(self, value: Any, array: int, row: Any) -> None:
        self.builder.store(value, self._address(array, row), align=self.bytes)

    def spread(self, value: Any) -> Any:
        """One number in every lane."""
        one = self.builder.insert_element(ir.Constant(self.vector, ir.Undefined), value, ir.IntType(32)(0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(one, ir.Constant(self.vector, ir.Undefined), zeros)

    def larger(self, a: Any, b: Any) -> Any:
        return self.builder.select(self.builder.fcmp_ordered(">", a, b), a, b)

    def zero(self) -> Any:
        return ir.Constant(self.vector, [0.0] * self.lanes)

    def over_links(self, start: Any, stop: Any, initial: list[Any], body: Callable[..., list[Any]]) -> list[Any]:
        """Run body(link, *values) for each link of the row; the values it returns enter the next."""
        builder = self.builder
        before = builder.block
        loop, after = builder.append_basic_block("links"), builder.append_basic_block("row")
        builder.cbranch(builder.icmp_signed("<", start, stop), loop, after)
        builder.position_at_end(loop)
        link = builder.phi(_INT)
        link.add_incoming(start, before)
        values = [builder.phi(value.type) for value in initial]
        for phi, value in zip(values, initial, strict=True):
            phi.add_incoming(value, before)
        nexts = body(link, *values)
        further = builder.add(link, _INT(1))
        link.add_incoming(further, builder.block)
        for phi, value in zip(values, nexts, strict=True):
            phi.add_incoming(value, builder.block)
        last = builder.block
        builder.cbranch(builder.icmp_signed("<", further, stop), loop, after)
        builder.position_at_end(after)
        results = [builder.phi(value.type) for value in initial]
        for phi, value, new in zip(results, initial, nexts, strict=True):
            phi.add_incoming(value, before)
            phi.add_incoming(new, last)
        return results


def _multiply_add(rows: _Rows, total: Any, weight: Any, value: Any) -> Any:
    flags = ("contract",)
    product = rows.builder.fmul(rows.spread(weight), value, flags=flags)
    return rows.builder.fadd(total, product, flags=flags)


@intrinsic
def worst_group(  # noqa: ANN201
    _context: Any, _start: Any, _stop: Any, firm: Any, weight: Any, phi: Any, live: Any, d: Any, _row: Any, most: Any
):
    """Set d[row] ← max(d[row], live · largest group sum of weight · phi[firm]); most ← max(most, move).

    Links start..stop are those of the row; a negative weight starts a group. Sums within a group only
    grow, so the largest running sum is the largest group and no branch on group ends is needed.
    """

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        rows = _Rows(context, builder, signature, args, signature.args[3].dtype)

        def link(at: Any, run: Any, top: Any) -> list[Any]:
            w = rows.scalar(3, at)
            first = builder.fcmp_ordered("<", w, ir.Constant(rows.real, 0.0))
            size = builder.select(first, builder.fneg(w), w)
            kept = builder.select(first, rows.zero(), run)
            run = _multiply_add(rows, kept, size, rows.load(4, builder.sext(rows.scalar(2, at), _INT)))
            return [run, rows.larger(run, top)]

        _, top = rows.over_links(args[0], args[1], [rows.zero(), rows.zero()], link)
        old = rows.load(6, args[7])
        new = rows.larger(builder.fmul(top, rows.load(5, _INT(0))), old)
        rows.store(new, 6, args[7])
        rows.store(rows.larger(builder.fsub(new, old), rows.load(8, _INT(0))), 8, _INT(0))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, firm, weight, phi, live, d, types.int64, most), emit


@intrinsic
def weighted_sum(  # noqa: ANN201
    _context: Any,
    _start: Any,
    _stop: Any,
    firm: Any,
    weight: Any,
    u: Any,
    live: Any,
    out: Any,
    _row: Any,
    most: Any,
    worth: Any,
    rest: Any,
):
    """Set out[row] ← max(u[row], live · Σ weight · u[firm]); most ← max(most, move); rest += worth[row] · move."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        rows = _Rows(context, builder, signature, args, signature.args[3].dtype)

        def link(at: Any, total: Any) -> list[Any]:
            value = rows.load(4, builder.sext(rows.scalar(2, at), _INT))
            return [_multiply_add(rows, total, rows.scalar(3, at), value)]

        (total,) = rows.over_links(args[0], args[1], [rows.zero()], link)
        old = rows.load(4, args[7])
        new = rows.larger(builder.fmul(total, rows.load(5, _INT(0))), old)
        rows.store(new, 6, args[7])
        move = builder.fsub(new, old)
        rows.store(rows.larger(move, rows.load(8, _INT(0))), 8, _INT(0))
        left = _multiply_add(rows, rows.load(10, _INT(0)), rows.scalar(9, args[7]), move)
        rows.store(left, 10, _INT(0))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, firm, weight, u, live, out, types.int64, most, worth, rest), emit


@intrinsic
def add_volume(_context: Any, capacity: Any, d: Any, _row: Any, volume: Any):  # noqa: ANN201
    """Add to volume: capacity[row] · (1 − d[row])."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        rows = _Rows(context, builder, signature, args, signature.args[0].dtype)
        left = builder.fsub(rows.spread(ir.Constant(rows.real, 1.0)), rows.load(1, args[2]))
        total = _multiply_add(rows, rows.load(3, _INT(0)), rows.scalar(0, args[2]), left)
        rows.store(total, 3, _INT(0))
        return context.get_dummy_value()

    return types.void(capacity, d, types.int64, volume), emit


@intrinsic
def market_share(_context: Any, capacity: Any, volume: Any, d: Any, _row: Any, phi: Any):  # noqa: ANN201
    """Set phi[row] ← d[row] · min(1, capacity[row] / volume), and d[row] where the volume is not positive."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        rows = _Rows(context, builder, signature, args, signature.args[0].dtype)
        size, total, loss = rows.spread(rows.scalar(0, args[3])), rows.load(1, _INT(0)), rows.load(2, args[3])
        share = builder.fdiv(builder.fmul(size, loss), total)
        rows.store(builder.select(builder.fcmp_ordered("<", size, total), share, loss), 4, args[3])
        return context.get_dummy_value()

    return types.void(capacity, volume, d, types.int64, phi), emit
