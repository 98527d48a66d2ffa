"""One assessment rendered for each reader: terminal, HTML, PDF, FHIR."""

from sequela.report.fhir import write_fhir
from sequela.report.html import html, write_html, write_pdf

__all__ = ["html", "write_fhir", "write_html", "write_pdf"]
