"""The built-in ``concordances``: links between classifications that no publisher gives, each with its reason.

``crosswalk.csv`` joins the sectors of China's tables to the OECD's, WIOD's and NACE's industries by the divisions
they are made of (GB/T 4754-2017 follows ISIC Rev. 4 there). ``step_sector.csv`` says which sector makes a step of a
supply chain and how much of a sector stands on it; ``assumption.csv`` how long one can do without. The last two are
judgements and carry bounds: whoever knows better brings rows of the same key, which rank before these.
"""

from typing import ClassVar

from ronghe.sources.sandbox import Sandbox


class Concordances(Sandbox):
    """One CSV file a table, headings as in the contract; a record is a line."""

    name = "concordances"
    version = "1"
    folder: ClassVar[str] = "ronghe.sources.concordances"
