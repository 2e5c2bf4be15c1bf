"""Benchmark: how fast everything is that somebody waits for, beside its limits and textbook solvers."""

from cryoplan.workflow.benchmark.figures import FIGURES, Benchmark, Figure, Row
from cryoplan.workflow.benchmark.measure import run_benchmark
from cryoplan.workflow.benchmark.sizes import TINY, USUAL, Sizes

__all__ = ["FIGURES", "TINY", "USUAL", "Benchmark", "Figure", "Row", "Sizes", "run_benchmark"]
