"""The demonstration: a lake from real data where it can be had, else the invented sandbox; three answers."""

from dataclasses import dataclass

from ronghe.brain import Answer, Brain
from ronghe.intake import Failure, ingest_dataset, ingest_reference, reachable
from ronghe.lake.ingest import Progress, Report
from ronghe.sources.fetch import Hosts

REAL = ("cn_io_tables", "cn_st_yearbook", "eto_chips", "wiod2013", "owid_co2", "openalex_works", "ror",
        "event_logs", "onet")  # fmt: skip
SANDBOX = "sandbox"


@dataclass(frozen=True, slots=True)
class Built:
    """What the demonstration loaded."""

    reports: list[Report]
    failures: list[Failure]
    invented: bool


def build(brain: Brain, progress: Progress) -> Built:
    """Load real data; where neither mirror, cache nor network has it, the sandbox."""
    reports = ingest_reference(brain)
    failures: list[Failure] = []
    hosts = Hosts()
    real = reachable(brain, REAL[:1], hosts)
    for name in REAL if real else (SANDBOX,):
        done, failed = ingest_dataset(brain, name, progress, hosts)
        reports += done
        failures += failed
    return Built(reports, failures, not real)


def answers(brain: Brain) -> list[Answer]:
    """The three first questions, on whatever the lake holds."""
    snapshot = brain.snapshot
    tables = {c.value for c in brain.lens("structure").params[0].choices(snapshot) or ()}
    table = "cn-2020-153" if "cn-2020-153" in tables else min(tables)
    chains = {c.value for c in brain.lens("chain").params[0].choices(snapshot) or ()}
    indicators = {c.value for c in brain.lens("indicators").params[0].choices(snapshot) or ()}
    indicator = "rd_intensity" if "rd_intensity" in indicators else min(indicators)
    return [
        brain.ask("structure", table=table),
        brain.ask("indicators", indicator=indicator),
        brain.ask("chain", chain="chips" if "chips" in chains else min(chains)),
    ]
