"""Row sums over a sparse matrix for several right-hand sides held side by side, as vector instructions.

Numba does not keep a short array of running sums in a vector register, and these rows are the innermost
loop of the cascade; so the two row operations are written down for LLVM, which lowers them to whatever
vectors the processor has. Arrays of right-hand sides have shape (n, lanes); the number of lanes is the
length of the tuple `lanes`, which the compiler knows from its type. A row fills a line of the cache.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

LINE = 64
AHEAD = 32  # links between asking for a row and reading it
_REAL = {types.float64: ir.DoubleType(), types.float32: ir.FloatType()}
_INT = ir.IntType(64)


def lane_numbers(dtype: Any) -> tuple[int, ...]:
    """The lanes of a run: as many numbers as fill a line."""
    return tuple(range(LINE // np.dtype(dtype).itemsize))


def aligned(rows: int, columns: int, dtype: Any) -> NDArray[Any]:
    """Zeros whose rows start where cache lines do, so that a row of 64 bytes is one line and not two."""
    item = np.dtype(dtype).itemsize
    spare = np.zeros(rows * columns + LINE // item, dtype=dtype)
    start = -spare.ctypes.data % LINE // item
    return spare[start : start + rows * columns].reshape(rows, columns)


class _Rows:
    """The arrays of one call, with loads and stores of scalars and of whole rows."""

    def __init__(self, context: Any, builder: Any, signature: Any, args: Any, real: Any) -> None:
        self.lanes = signature.args[0].count
        self.builder, self.real = builder, _REAL[real]
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

    def prefetch(self, array: int, firm: int, link: Any) -> None:
        """Ask for the row of the firm at a link some way off, so that it is there when its turn comes."""
        builder, void = self.builder, ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [void, *[ir.IntType(32)] * 3])
        call = builder.module.declare_intrinsic("llvm.prefetch", (void,), kind)
        row = builder.sext(self.scalar(firm, link), _INT)
        where = builder.bitcast(self._address(array, row), void)
        builder.call(call, [where, *(ir.IntType(32)(flag) for flag in (0, 3, 1))])

    def spread(self, value: Any) -> Any:
        """One number in every lane."""
        one = self.builder.insert_element(ir.Constant(self.vector, ir.Undefined), value, ir.IntType(32)(0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(one, ir.Constant(self.vector, ir.Undefined), zeros)

    def larger(self, a: Any, b: Any) -> Any:
        """The larger of two, neither of which is NaN.

        Not by comparing: a comparison whose result is stored becomes a masked store, which some processors take tens
        of cycles for.
        """
        kind = ir.FunctionType(self.vector, [self.vector, self.vector])
        name = f"llvm.maxnum.v{self.lanes}f{8 * self.bytes}"
        maximum = self.builder.module.globals.get(name) or ir.Function(self.builder.module, kind, name)
        return self.builder.call(maximum, [a, b], fastmath=("nnan",))

    def zero(self) -> Any:
        return ir.Constant(self.vector, [0.0] * self.lanes)

    def one(self) -> Any:
        return ir.Constant(self.vector, [1.0] * self.lanes)

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


def _worst_group(
    _context: Any,
    lanes: Any,
    _start: Any,
    _stop: Any,
    firm: Any,
    weight: Any,
    phi: Any,
    live: Any,
    d: Any,
    _row: Any,
    most: Any,
    _links: Any,
) -> Any:
    """Set d[row] ← max(d[row], live · largest group sum of weight · phi[firm]); most ← max(most, move).

    Links start..stop are those of the row; a negative weight starts a group. Sums within a group only
    grow, so the largest running sum is the largest group and no branch on group ends is needed. `links` is the
    number of all links.
    """

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        rows = _Rows(context, builder, signature, args, signature.args[4].dtype)

        def link(at: Any, run: Any, top: Any) -> list[Any]:
            further = builder.add(at, _INT(AHEAD))
            last = builder.sub(args[10], _INT(1))
            rows.prefetch(5, 3, builder.select(builder.icmp_signed("<", further, last), further, last))
            w = rows.scalar(4, at)
            first = builder.fcmp_ordered("<", w, ir.Constant(rows.real, 0.0))
            size = builder.select(first, builder.fneg(w), w)
            # A factor of 0 or 1, where choosing between two sums would be a branch that cannot be foreseen.
            kept = builder.select(first, ir.Constant(rows.real, 0.0), ir.Constant(rows.real, 1.0))
            part = builder.fmul(rows.spread(size), rows.load(5, builder.sext(rows.scalar(3, at), _INT)))
            run = _multiply_add(rows, part, kept, run)
            return [run, rows.larger(run, top)]

        _, top = rows.over_links(args[1], args[2], [rows.zero(), rows.zero()], link)
        old = rows.load(7, args[8])
        new = rows.larger(builder.fmul(top, rows.load(6, _INT(0))), old)
        rows.store(new, 7, args[8])
        rows.store(rows.larger(builder.fsub(new, old), rows.load(9, _INT(0))), 9, _INT(0))
        return context.get_dummy_value()

    return types.void(lanes, types.int64, types.int64, firm, weight, phi, live, d, types.int64, most, types.int64), emit


def _weighted_sum(
    _context: Any,
    lanes: Any,
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
) -> Any:
    """Set out[row] ← max(u[row], live · Σ weight · u[firm]); most ← max(most, move); rest += worth[row] · move."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        rows = _Rows(context, builder, signature, args, signature.args[4].dtype)

        def link(at: Any, total: Any) -> list[Any]:
            # The sweep goes through the rows backwards.
            further = builder.sub(at, _INT(AHEAD))
            rows.prefetch(5, 3, builder.select(builder.icmp_signed(">", further, _INT(0)), further, _INT(0)))
            value = rows.load(5, builder.sext(rows.scalar(3, at), _INT))
            return [_multiply_add(rows, total, rows.scalar(4, at), value)]

        (total,) = rows.over_links(args[1], args[2], [rows.zero()], link)
        old = rows.load(5, args[8])
        new = rows.larger(builder.fmul(total, rows.load(6, _INT(0))), old)
        rows.store(new, 7, args[8])
        move = builder.fsub(new, old)
        rows.store(rows.larger(move, rows.load(9, _INT(0))), 9, _INT(0))
        left = _multiply_add(rows, rows.load(11, _INT(0)), rows.scalar(10, args[8]), move)
        rows.store(left, 11, _INT(0))
        return context.get_dummy_value()

    return types.void(lanes, types.int64, types.int64, firm, weight, u, live, out, types.int64, most, worth, rest), emit


def _spread_loss(
    _context: Any,
    lanes: Any,
    size: Any,
    before: Any,
    after: Any,
    _sector: Any,
    d: Any,
    _row: Any,
    phi: Any,
    capacity: Any,
) -> Any:
    """Set phi[row] ← d[row] · min(1, size[row] · before[sector]); after[sector] += capacity[row] · (1 − d[row]).

    `before` holds infinity where nothing is left to buy.
    """

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        rows = _Rows(context, builder, signature, args, signature.args[1].dtype)
        sector, row = args[4], args[6]
        size, loss, total = rows.spread(rows.scalar(1, row)), rows.load(5, row), rows.load(2, sector)
        share = builder.fmul(size, total)
        part = builder.fmul(share, loss)
        rows.store(builder.select(builder.fcmp_ordered("<", share, rows.one()), part, loss), 7, row)
        left = builder.fsub(rows.one(), loss)
        rows.store(_multiply_add(rows, rows.load(3, sector), rows.scalar(8, row), left), 3, sector)
        return context.get_dummy_value()

    return types.void(lanes, size, before, after, types.int64, d, types.int64, phi, capacity), emit


# Called from compiled code only, with one argument fewer than their makers have.
worst_group: Any = intrinsic(_worst_group)
weighted_sum: Any = intrinsic(_weighted_sum)
spread_loss: Any = intrinsic(_spread_loss)
