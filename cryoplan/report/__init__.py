"""Report: the plan as a PDF and as JSON, from records that are decided before a page is drawn.

Decision: reportlab with an embedded DejaVu Sans. The fonts built into PDF drew a box for a Polish L-stroke;
typst prints finely but is 81 MB, weasyprint needs system libraries, QPdfWriter pulls Qt below the line.
"""
