"""``farm store``: the stored results of a home, verified and pruned."""

import re
from typing import Annotated

import typer

from farm.commands.home import Home, home_of
from farm.errors import BadInput

app = typer.Typer(help="The stored results of a home: verified, and pruned.", no_args_is_help=True)

_SECONDS = {"h": 3600.0, "d": 86400.0, "w": 604800.0}


@app.command("verify")
def verify_command(
    home: Home = None,
    kinds: Annotated[list[str] | None, typer.Option("--kind", help="Only results of this kind; default: all.")] = None,
    discard: Annotated[bool, typer.Option("--discard", help="Remove what is damaged; a run makes it again.")] = False,
) -> None:
    """Read every stored result and prove it by its checksum; exit 1 when any is damaged.

    Example: `farm store verify --kind fits`
    """
    from farm.run.progress import Steps
    from farm.store import Store

    store = Store(home_of(home))
    known = store.kinds()
    for kind in kinds or ():
        if kind not in known:
            raise BadInput(f"--kind {kind}: {store.home} has none; there are {', '.join(known) or 'no results at all'}")
    results = [result for kind in kinds or known for result in store.stored(kind)]
    damaged = []
    with Steps("results", len(results)) as steps:
        for result in results:
            problem = store.damage(result)
            if problem is not None:
                damaged.append(result)
                typer.echo(f"{result.file}: {problem}")
            steps.advance(failed=problem is not None)
    size = sum(result.size for result in results)
    typer.echo(f"{len(results):,} results, {_bytes(size)}: {f'{len(damaged)} damaged' if damaged else 'all in order'}")
    if not damaged:
        return
    if discard:
        for result in damaged:
            store.discard(result.kind, result.key)
        typer.echo("the damaged ones were removed; run their experiments again, and they are made anew")
    else:
        typer.echo("remove them with --discard and run their experiments again: these alone are made anew")
    raise typer.Exit(1)


@app.command("prune")
def prune_command(
    home: Home = None,
    older_than: Annotated[str, typer.Option(help="Only what was written so long ago or before: 12h, 30d, 4w.")] = "1d",
    yes: Annotated[bool, typer.Option("--yes", help="Remove; without it you are told what would be.")] = False,
) -> None:
    """Remove results that no run of the home and no record of the ledger needs. A run needs them while it has a folder.

    Of a home on an object store this machine's copies go as well, needed or not: they are fetched anew.

    Example: `farm store prune --older-than 30d --yes`
    """
    from farm.run.needs import older, unneeded
    from farm.store import Store

    store, age = Store(home_of(home)), _seconds(older_than)
    found: dict[str, list[int]] = {}
    for result in list(unneeded(store.home, older_than=age)):
        found.setdefault(result.kind if result.key else "drafts of killed writers", []).append(result.size)
        if yes:
            store.remove(result)
    copies = store.copies()
    for copy in [] if copies is None else list(older(copies, age)):
        found.setdefault("copies on this machine", []).append(copy.size)
        if yes and copies is not None:
            copies.remove(copy)
    for kind, sizes in sorted(found.items()):
        typer.echo(f"{kind}: {len(sizes):,}, {_bytes(sum(sizes))}")
    total = _bytes(sum(sum(sizes) for sizes in found.values()))
    if not found:
        typer.echo(f"nothing that was written more than {older_than} ago is unneeded")
    else:
        typer.echo(f"removed {total}" if yes else f"{total} would be removed; nothing was: say --yes to do it")


def _seconds(duration: str) -> float:
    match = re.fullmatch(r"(\d+)([hdw])", duration.strip())
    if match is None:
        raise BadInput(f"--older-than {duration}: not a length of time; write a number and h, d or w, such as 30d")
    return int(match[1]) * _SECONDS[match[2]]


def _bytes(size: int) -> str:
    amount = float(size)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if amount < 1024 or unit == "GiB":
            break
        amount /= 1024
    return f"{size:,} bytes" if unit == "bytes" else f"{amount:.1f} {unit} ({size:,} bytes)"
