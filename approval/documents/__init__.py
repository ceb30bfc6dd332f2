"""Documents (文书): filling templates that a pack brought, and drawing them as PDF.

Strangers wrote the templates, so they are read in a child process that may be killed: see `presses`. WeasyPrint
takes a second and 130 MB to import; only that child does. It lays a page out once and draws the next ones of its kind
from a plate: see `plates`.
"""

from approval.documents.filling import TemplateFault
from approval.documents.glyphs import missing_glyphs
from approval.documents.presses import fault, render

__all__ = ["TemplateFault", "fault", "missing_glyphs", "render"]
