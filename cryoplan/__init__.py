"""cryoplan: a planning desk for percutaneous cryoablation. Research use; not a medical device.

The folder names are the data flow, read left to right, and imports only point left::

    core -> image -> case -> plan -> simulation -> margins -> report | scene -> workflow -> app -> gui
"""

__version__ = "0.1.0"

RESEARCH_USE = "Research use; not a medical device"
"""The sentence that stands on every output: window, PDF, pictures, JSON."""
