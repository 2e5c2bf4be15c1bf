"""Ledger: the lines of the energy balance; those of the probes follow."""

from __future__ import annotations

PERFUSION, METABOLISM, BOUNDARY, VESSELS, SKIN, WARMERS, N_LEDGER = range(7)
