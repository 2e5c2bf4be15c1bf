"""Images of the chosen series that could not be placed with the others are named, never dropped in silence.

A damaged end slice leaves a stack that is regular in itself: only its fellows tell that it is short.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryoplan.core.finding import Finding, Level
from cryoplan.image.dicom_stack import Stack
from cryoplan.image.verdict import REFUSED


def left_out(stacks: Sequence[Stack], chosen: Stack) -> tuple[Finding, ...]:
    """Return a warning where other images of the series, no localizers, were refused.

    Parameters
    ----------
    stacks : sequence of Stack
        All that was found beside each other.
    chosen : Stack
        The one to load; nothing is said of one that is itself refused.
    """
    uid = chosen.first.series_uid
    if not chosen.is_image or chosen.verdict == REFUSED or not uid:
        return ()
    lost = [
        s
        for s in stacks
        if s is not chosen and s.first.series_uid == uid and not s.is_localizer and s.verdict == REFUSED
    ]
    if not lost:
        return ()
    headers = [h for s in lost for h in s.headers]
    names = ", ".join(sorted({h.path.name for h in headers})[:3])
    more = ", ..." if len({h.path for h in headers}) > 3 else ""
    reason = next(f.text for f in lost[0].findings if f.level is Level.FAIL)
    count = f"{len(headers)} image{'s' if len(headers) > 1 else ''}"
    text = f"{count} of the series cannot be used and would be left out ({names}{more}): {reason}"
    return (Finding(level=Level.WARN, code="images-left-out", text=text, place=headers[0].path.name),)
