"""Joining clips and measuring the seam. Torch only."""

from .seam import SeamReport, measure_seam

__all__ = ["SeamReport", "measure_seam"]
