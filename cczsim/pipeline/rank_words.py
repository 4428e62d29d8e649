"""What a ranking says on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cczsim.pipeline.summary import figure, write_line

if TYPE_CHECKING:
    from cczsim.pipeline.rank_result import RankResult


def print_ranking(result: RankResult) -> None:
    """Write a table for each figure, best first, then what dominates what."""
    ranking, names = result.ranking, result.names
    sampled = bool(result.ranges)
    width = max(len(name) for name in names)
    count = f"{ranking.used} samples" if sampled else "one run each"
    for k, criterion in enumerate(result.criteria):
        rows = ranking.figures[k]
        sense = "more is better" if criterion.better > 0 else "less is better"
        write_line(f"{criterion.key}, {criterion.unit} ({sense}; {count})")
        head = f"  {'':2} {'':<{width}} {'mean' if sampled else 'value':>12}"
        if sampled:
            head += f" {'5 %':>12} {'95 %':>12} {'best':>7} {'regret':>10} {'worst':>10}"
        write_line(head + f" {'behind':>12}")
        order = sorted(range(len(rows)), key=lambda o: (rows[o].place, o != ranking.leader[k], o))
        for o in order:
            row = rows[o]
            line = f"  {row.place:>2} {names[o]:<{width}} {figure(row.mean):>12}"
            if sampled:
                line += (
                    f" {figure(row.low):>12} {figure(row.high):>12} {100 * row.best:>5.0f} %"
                    f" {figure(row.regret):>10} {figure(row.worst_regret):>10}"
                )
            line += f" {figure(row.behind):>12}" if o != ranking.leader[k] else f" {'':>12}"
            if row.ties_leader:
                line += "  a tie: the gaps allow the difference"
            write_line(line.rstrip())
        write_line()
    for o, by in enumerate(ranking.dominated_by):
        if by:
            where = "in no sample better, by no figure" if sampled else "better by no figure"
            write_line(f"{names[o]} is dominated by {', '.join(names[p] for p in by)}: {where}")
    if len(result.criteria) > 1:
        write_line("on the Pareto front: " + ", ".join(names[o] for o in ranking.front))
    if ranking.left_out:
        write_line(f"{ranking.left_out} samples left out: not every option has all figures there")
    for name, sample in result.not_converged:
        write_line(f"not converged: {name}, sample {sample}")
