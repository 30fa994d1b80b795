"""The built-in ``concordances``: links between classifications that no publisher gives, each with its reason.

``crosswalk.csv`` joins the sectors of China's tables to the OECD's, WIOD's and NACE's industries by the divisions
they are made of (GB/T 4754-2017 follows ISIC Rev. 4 there). ``step_sector.csv`` says which sector makes a step of a
supply chain and how much of a sector stands on it; ``assumption.csv`` how long one can do without; ``step_product.csv``
under which products of SITC Rev. 2 the trade in a step is recorded. These three are judgements and carry bounds:
whoever knows better brings rows of the same key, which rank before these. ``industry.csv`` names the products of SITC
Rev. 2 at four digits, in short titles of our own after those of the United Nations.

A step finds its products in two stages. Which headings of the Harmonised System (1996/2002) it is declared under is
said by the headings' own text and, for machines, by the list of semiconductor manufacturing equipment in the WTO's
Information Technology Agreement (1996, attachment A, section 2). Which product of SITC Rev. 2 a heading belongs to is
the correlation of the United Nations Statistics Division. How the trade in a step falls on several headings is judged.
"""

from typing import ClassVar

from ronghe.sources.sandbox import Sandbox


class Concordances(Sandbox):
    """One CSV file a table, headings as in the contract; a record is a line."""

    name = "concordances"
    version = "1"
    folder: ClassVar[str] = "ronghe.sources.concordances"
