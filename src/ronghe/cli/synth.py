"""``ronghe synth``: what is made, not observed."""

from typing import TYPE_CHECKING, Annotated

import typer

from ronghe.cli.state import State

if TYPE_CHECKING:
    from ronghe.synth import Made


def firms(
    context: typer.Context,
    io: Annotated[str, typer.Option("--io")],
    n: Annotated[int, typer.Option("--n")] = 10_000,
    links: Annotated[int | None, typer.Option()] = None,
    seed: Annotated[int, typer.Option()] = 1,
) -> None:
    """Make a synthetic network of firms from an input-output table, and load it."""
    from ronghe.cli.show import show_rows
    from ronghe.synth import make_firms

    state: State = context.obj
    with state.progress() as step:
        made = make_firms(state.brain, io, n, links=links, seed=seed, progress=step)
    show_rows(state, state.t("synth.made", network=made.network), ("measure", "value"), _lines(state, made))
    state.console.print(state.t("synth.next", network=made.network))


def _lines(state: State, made: "Made") -> list[tuple[str, str]]:
    d = made.diagnostics
    figures = [
        ("firms", f"{made.firms:,}"),
        ("links", f"{made.links:,}"),
        ("flow_error", f"{d.flow_error:.3%}"),
        ("flow_error_max", f"{d.flow_error_max:.3%}"),
        ("sales_error", f"{d.sales_error:.1e}"),
        ("blocks_missed", f"{d.blocks_missed:,}"),
        ("inputs_over_sales", f"{d.inputs_over_sales:.2%}"),
    ]
    for name in ("sales_tail", "suppliers_tail", "customers_tail"):
        tail = getattr(d, name)
        figures.append((name, f"{tail.exponent:.2f} ± {tail.error:.2f}"))
    return [(state.t(f"synth.{name}"), value) for name, value in figures]


def group() -> typer.Typer:
    """The group of commands, made anew."""
    app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
    app.callback()(_nothing)
    app.command("firms")(firms)
    return app


def _nothing() -> None:
    """What is made, not observed."""
