"""Lanes: sixteen cells at once as one number in compiled code.

A stencil loop over slices of many arrays is left scalar by the compiler, or guarded by some thirty alias
checks per row, because it cannot know that the arrays do not overlap: 0.4 billion cells per second and core.
A kernel that loads, computes with and stores `Lanes` says what it means and needs no such proof; the same
arithmetic then runs at 1.2 to 1.7 billion, which is what the memory delivers. `Lanes` become vector
instructions of the width that the processor has.

Inside a compiled function ``+ - * /`` work on lanes; numbers are brought in by `splat`.
"""

from __future__ import annotations

import operator
import platform
from typing import Any

from llvmlite import binding, ir
from numba.core import cgutils, types
from numba.core.extending import intrinsic, lower_builtin, models, register_model
from numba.core.typing.templates import AbstractTemplate, infer_global, signature

WIDTH = 16
"""Cells per chunk: one 512-bit register of float32."""


def has_halves() -> bool:
    """Tell whether this processor turns float16 into float32 by itself."""
    return bool(binding.get_host_cpu_features().get("f16c")) or platform.machine() in ("arm64", "aarch64")


# Reassociation and contraction are free speed; NaN and infinities keep their meaning, they are looked for.
FAST = ("reassoc", "contract", "nsz", "arcp")


def lowered(function: Any) -> Any:
    """Make a function that writes its own machine code callable from compiled functions."""
    return intrinsic(function)


class Lanes(types.Type):
    """Numba type of sixteen float32 or float64 values."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(f"Lanes({dtype})")


class Mask(types.Type):
    """Numba type of sixteen truth values."""

    def __init__(self) -> None:
        super().__init__("Mask")


_MASK = Mask()


def _vector(dtype: Any) -> ir.VectorType:
    return ir.VectorType(ir.FloatType() if dtype == types.float32 else ir.DoubleType(), WIDTH)


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: Lanes) -> None:
        super().__init__(manager, fe_type, _vector(fe_type.dtype))


@register_model(Mask)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: Mask) -> None:
        super().__init__(manager, fe_type, ir.VectorType(ir.IntType(1), WIDTH))


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any, vector: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), vector.as_pointer())


def _spread(builder: Any, value: Any) -> Any:
    vector = ir.VectorType(value.type, WIDTH)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), zeros)


@lowered
def load(_typing: Any, array: Any, index: Any) -> Any:  # noqa: ARG001 - numba types them
    """Return ``array[index : index + 16]`` of a contiguous array; nothing checks the bounds."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        vector = _vector(array.dtype)
        at = _pointer(context, builder, sig.args[0], args[0], args[1], vector)
        return builder.load(at, align=array.dtype.bitwidth // 8)

    return Lanes(array.dtype)(array, types.int64), generate


@lowered
def widen(_typing: Any, array: Any, index: Any) -> Any:  # noqa: ARG001 - numba types them
    """Return ``array[index : index + 16]`` of float16 (kept as uint16), as lanes of float32; else `load`."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        if array.dtype != types.uint16:
            vector = _vector(array.dtype)
            at = _pointer(context, builder, sig.args[0], args[0], args[1], vector)
            return builder.load(at, align=array.dtype.bitwidth // 8)
        halves = ir.VectorType(ir.HalfType(), WIDTH)
        at = _pointer(context, builder, sig.args[0], args[0], args[1], halves)
        return builder.fpext(builder.load(at, align=2), _vector(types.float32))

    dtype = types.float32 if array.dtype == types.uint16 else array.dtype
    return Lanes(dtype)(array, types.int64), generate


@lowered
def expect(_typing: Any, array: Any, index: Any) -> Any:  # noqa: ARG001 - numba types them
    """Ask for the memory at ``array[index]`` ahead of its use."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        byte = ir.IntType(8).as_pointer()
        at = _pointer(context, builder, sig.args[0], args[0], args[1], ir.IntType(8))
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [at, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.none(array, types.int64), generate


@lowered
def store(_typing: Any, array: Any, index: Any, value: Any) -> Any:  # noqa: ARG001 - numba types them
    """Write lanes to ``array[index : index + 16]``."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        at = _pointer(context, builder, sig.args[0], args[0], args[1], _vector(array.dtype))
        builder.store(args[2], at, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.none(array, types.int64, value), generate


@lowered
def equal(_typing: Any, array: Any, index: Any, number: Any) -> Any:  # noqa: ARG001 - numba types them
    """Return the mask of ``array[index : index + 16] == number`` for a uint8 array."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        vector = ir.VectorType(ir.IntType(8), WIDTH)
        at = _pointer(context, builder, sig.args[0], args[0], args[1], vector)
        wanted = _spread(builder, builder.trunc(args[2], ir.IntType(8)))
        return builder.icmp_unsigned("==", builder.load(at, align=1), wanted)

    return _MASK(array, types.int64, types.int64), generate


@lowered
def splat(_typing: Any, value: Any) -> Any:
    """Return sixteen times the same number."""

    def generate(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
        return _spread(builder, args[0])

    return Lanes(value)(value), generate


@lowered
def where(_typing: Any, mask: Any, a: Any, b: Any) -> Any:
    """Return `a` where the mask holds, else `b`."""

    def generate(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
        return builder.select(*args)

    return a(mask, a, b), generate


@lowered
def below(_typing: Any, a: Any, b: Any) -> Any:
    """Return the mask of ``a < b``; false where either is NaN."""

    def generate(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
        return builder.fcmp_ordered("<", args[0], args[1])

    return _MASK(a, b), generate


def _choice(comparison: str) -> Any:
    # Not llvm.minnum: that drops a NaN, and a NaN in the field must be seen.
    @lowered
    def pick(_typing: Any, a: Any, b: Any) -> Any:
        def generate(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
            return builder.select(builder.fcmp_unordered(comparison, *args), *args)

        return a(a, b), generate

    return pick


minimum = _choice("<")
"""Smaller of two; NaN in the first stays."""

maximum = _choice(">")
"""Larger of two; NaN in the first stays."""


@lowered
def root(_typing: Any, a: Any) -> Any:
    """Return the square roots."""

    def generate(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
        vector = _vector(a.dtype)
        name = f"llvm.sqrt.v{WIDTH}f{a.dtype.bitwidth}"
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(vector, [vector]), name)
        return builder.call(function, args)

    return a(a), generate


@lowered
def total(_typing: Any, a: Any) -> Any:
    """Return the sum of the lanes as float64, always in the same order."""

    def generate(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
        result = ir.Constant(ir.DoubleType(), 0.0)
        for lane in range(WIDTH):
            value = builder.extract_element(args[0], ir.Constant(ir.IntType(32), lane))
            if a.dtype == types.float32:
                value = builder.fpext(value, ir.DoubleType())
            result = builder.fadd(result, value)
        return result

    return types.float64(a), generate


def _extreme(comparison: str) -> Any:
    @lowered
    def pick(_typing: Any, a: Any) -> Any:
        def generate(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
            lanes = [builder.extract_element(args[0], ir.Constant(ir.IntType(32), n)) for n in range(WIDTH)]
            result = lanes[0]
            for value in lanes[1:]:
                result = builder.select(builder.fcmp_unordered(comparison, value, result), value, result)
            return builder.fpext(result, ir.DoubleType()) if a.dtype == types.float32 else result

        return types.float64(a), generate

    return pick


smallest = _extreme("<")
"""Smallest lane, as float64; NaN if any is."""

largest = _extreme(">")
"""Largest lane, as float64; NaN if any is."""


@lowered
def bits(_typing: Any, mask: Any) -> Any:
    """Return the mask as an integer, lane 0 in the lowest bit."""

    def generate(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
        return builder.zext(builder.bitcast(args[0], ir.IntType(WIDTH)), ir.IntType(64))

    return types.int64(mask), generate


def _arithmetic(symbol: Any, instruction: str) -> None:
    @infer_global(symbol)
    class _Typing(AbstractTemplate):
        def generic(self, args: Any, _kws: Any) -> Any:
            if len(args) == 2 and isinstance(args[0], Lanes) and args[0] == args[1]:
                return signature(args[0], *args)
            return None

    @lower_builtin(symbol, Lanes, Lanes)
    def _lower(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
        return getattr(builder, instruction)(*args, flags=FAST)


for _symbol, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _arithmetic(_symbol, _instruction)
