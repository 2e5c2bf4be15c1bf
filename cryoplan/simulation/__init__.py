"""Answers: a case and a plan become temperatures (enthalpy Pennes model, all probes together)."""
