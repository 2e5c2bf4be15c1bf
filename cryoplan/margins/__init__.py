"""Judgement: temperatures and the tumour become margins, coverage, volumes and findings."""
