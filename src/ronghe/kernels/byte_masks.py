"""Sixty-four bytes looked at in one go: a word whose bits say which of them are a given byte.

Numba compiles a search for a byte to a step a byte; written down for LLVM, a comparison of 64 bytes is as many vector
instructions as the processor needs for that width (two with 32 bytes a vector).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]

WIDTH = 64
"""Bytes a word stands for: that many must be readable from the place asked about."""

_BYTE, _WORD = ir.IntType(8), ir.IntType(64)
_BYTES = ir.VectorType(_BYTE, WIDTH)


def _pointer(context: Any, builder: Any, signature: Any, args: Any, array: int) -> Any:
    """Where 64 bytes of an argument are, from the place that the argument after it says."""
    data = context.make_array(signature.args[array])(context, builder, args[array]).data
    return builder.bitcast(builder.gep(data, [args[array + 1]]), _BYTES.as_pointer())


def _load(context: Any, builder: Any, signature: Any, args: Any, array: int = 0) -> Any:
    """Those 64 bytes."""
    return builder.load(_pointer(context, builder, signature, args, array), align=1)


def _equal_bytes(_context: Any, block: Any, _at: Any, _byte: Any, _bits: Any) -> Any:
    """Which of block[at : at + 64] equal byte, once the bits of `bits` are set in both: bit k for block[at + k]."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        held = _load(context, builder, signature, args)

        def spread(value: Any) -> Any:
            none = ir.Constant(_BYTES, ir.Undefined)
            one = builder.insert_element(none, builder.trunc(value, _BYTE), ir.IntType(32)(0))
            zeros = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
            return builder.shuffle_vector(one, none, zeros)

        same = builder.icmp_unsigned("==", builder.or_(held, spread(args[3])), spread(args[2]))
        return builder.bitcast(same, _WORD)

    return types.uint64(block, types.int64, types.int64, types.int64), emit


def _same_bytes(_context: Any, block: Any, _at: Any, other: Any, _to: Any) -> Any:
    """Which of block[at : at + 64] equal other[to : to + 64]."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        held, wanted = (_load(context, builder, signature, args, array) for array in (0, 2))
        return builder.bitcast(builder.icmp_unsigned("==", held, wanted), _WORD)

    return types.uint64(block, types.int64, other, types.int64), emit


def _copy_bytes(_context: Any, block: Any, _at: Any, out: Any, _to: Any) -> Any:
    """Copy block[at : at + 64] to out[to : to + 64]."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = _pointer(context, builder, signature, args, 2)
        builder.store(_load(context, builder, signature, args), place, align=1)
        return context.get_dummy_value()

    return types.void(block, types.int64, out, types.int64), emit


def _control_bytes(_context: Any, block: Any, _at: Any) -> Any:
    """Which of block[at : at + 64] are below 32: none is within a text of JSON."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        held = _load(context, builder, signature, args)
        below = builder.icmp_unsigned("<", held, ir.Constant(_BYTES, [32] * WIDTH))
        return builder.bitcast(below, _WORD)

    return types.uint64(block, types.int64), emit


def _lowest_bit(_context: Any, _word: Any) -> Any:
    """The number of the lowest set bit of a word; 64 where none is set."""

    def emit(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.IntType(1)(0))

    return types.int64(types.uint64), emit


control_bytes: Callable[..., Any] = intrinsic(_control_bytes)
copy_bytes: Callable[..., Any] = intrinsic(_copy_bytes)
equal_bytes: Callable[..., Any] = intrinsic(_equal_bytes)
lowest_bit: Callable[..., Any] = intrinsic(_lowest_bit)
same_bytes: Callable[..., Any] = intrinsic(_same_bytes)
