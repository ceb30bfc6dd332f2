"""Documents (文书): filling templates that a pack brought, and drawing them as PDF.

WeasyPrint takes a second and 130 MB to import, so it is imported when something is drawn: in workers.
"""

from approval.documents.drawing import draw
from approval.documents.filling import fault, fill, qr

__all__ = ["draw", "fault", "fill", "qr"]
