"""A picture of the lineage: what each table is made of, and who reads it, drawn as SVG.

The graph of the dbt docs lays every step beside the last one, which makes the names of a whole
project too small to read. Here a layer is a column, so that they fit on one screen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from html import escape
from statistics import fmean
from typing import Any

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"

READER_COLOUR = "#4b5563"
"""For what only reads tables, and can't have a colour in dbt_project.yml: exposures, analyses."""

WIDTH, MARGIN, HEADER = 1500, 20, 64
FONT_SIZE, BOX_HEIGHT, ROW_HEIGHT = 12, 28, 58
LETTER_WIDTH = 0.61 * FONT_SIZE
MIN_GAP = 50

STYLE = f"""
:root {{ --ground: #ffffff; --ink: #1f2328; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ground: #15191e; --ink: #e8eaed; }}
  .edge {{ filter: brightness(1.7); }}
}}
svg {{ background: var(--ground); font: {FONT_SIZE}px {FONT}; }}
.ground {{ fill: var(--ground); }}
.layer {{ fill: var(--ink); font-size: 16px; font-weight: 600; text-anchor: middle; }}
.edge {{ fill: none; stroke-width: 1.3; opacity: .6; }}
.node text {{ fill: #ffffff; text-anchor: middle; }}
a:hover rect, a:focus rect {{ stroke: var(--ink); stroke-width: 2; }}
"""


@dataclass
class Node:
    """A table or one of its readers; ``x`` and ``y`` are the middle of its left side, in pixels."""

    id: str
    name: str
    kind: str
    layer: str
    colour: str
    description: str
    parents: list[Node] = field(default_factory=list)
    column: int = 0
    row: int = 0
    x: float = 0
    y: float = 0
    width: float = 0


def nodes_of(manifest: Mapping[str, Any]) -> dict[str, Node]:
    """Take seeds, sources, models, snapshots and exposures from dbt's manifest, with parents."""
    resources = [*manifest["nodes"].values(), *manifest["sources"].values()]
    nodes = {}
    for resource in [*resources, *manifest["exposures"].values()]:
        kind, identity = resource["resource_type"], resource["unique_id"]
        layer = {
            "model": resource["fqn"][1],
            "snapshot": "snapshots",
            "seed": "seeds",
            "source": "sources",
            "exposure": "readers",
        }.get(kind)
        if layer is not None:
            nodes[identity] = Node(
                identity,
                (kind == "exposure" and resource.get("label")) or resource["name"],
                kind,
                layer,
                (resource.get("docs") or {}).get("node_color") or READER_COLOUR,
                resource.get("description") or "",
            )
    for node in nodes.values():
        node.parents = [nodes[id] for id in manifest["parent_map"][node.id] if id in nodes]
    return nodes


def in_order(before: Mapping[str, Iterable[str]]) -> list[str]:
    """Sort names so that each follows the names ``before`` it, else by the alphabet."""
    return list(
        TopologicalSorter({key: sorted(before[key]) for key in sorted(before)}).static_order()
    )


def layers_of(nodes: Iterable[Node]) -> list[list[Node]]:
    """Put nodes into columns: what is read only, the models' folders as data flow, the readers."""
    nodes = list(nodes)
    before: dict[str, set[str]] = {node.layer: set() for node in nodes}
    for node in nodes:
        before[node.layer] |= {parent.layer for parent in node.parents} - {node.layer}
    layers = []
    for column, layer in enumerate(in_order(before)):
        inside = {node.id: node for node in nodes if node.layer == layer}
        depths: dict[str, int] = {}
        for id in in_order(
            {
                node.id: [parent.id for parent in node.parents if parent.layer == layer]
                for node in inside.values()
            }
        ):
            parents = [depths[parent.id] for parent in inside[id].parents if parent.id in depths]
            depths[id] = 1 + max(parents, default=-1)
        members = sorted(
            inside.values(),
            key=lambda node: (
                depths[node.id],
                fmean([parent.row for parent in node.parents if parent.layer != layer] or [0]),
                node.name,
            ),
        )
        for row, node in enumerate(members):
            node.column, node.row = column, row
        layers.append(members)
    return layers


def place(layers: list[list[Node]]) -> tuple[float, float]:
    """Give every node its place; returns width and height of the picture, in pixels."""
    widths = [max(len(node.name) for node in layer) * LETTER_WIDTH + 12 for layer in layers]
    free = WIDTH - 2 * MARGIN - sum(widths)
    gap = max(MIN_GAP, free / max(1, len(layers) - 1))
    most = max(map(len, layers))
    x: float = MARGIN
    for layer, width in zip(layers, widths, strict=True):
        top = HEADER + (most - len(layer)) * ROW_HEIGHT / 2
        for node in layer:
            node.x, node.width, node.y = x, width, top + (node.row + 0.5) * ROW_HEIGHT
        x += width + gap
    return x - gap + MARGIN, HEADER + most * ROW_HEIGHT + MARGIN


def route(source: Node, target: Node, layers: list[list[Node]]) -> str:
    """Draw an edge that passes between the boxes of the columns on its way, never behind one."""
    if source.column == target.column:
        if target.row == source.row + 1:
            middle = source.x + source.width / 2
            return f"M{middle:.1f},{source.y + BOX_HEIGHT / 2} V{target.y - BOX_HEIGHT / 2 - 2}"
        out = source.x - min(MIN_GAP - 16, 10 + 5 * (target.row - source.row))
        return (
            f"M{source.x:.1f},{source.y} C{out:.1f},{source.y} {out:.1f},{target.y}"
            f" {target.x - 2:.1f},{target.y}"
        )
    x, y = source.x + source.width, source.y
    path = f"M{x:.1f},{y:.1f}"
    steps = []
    for number, layer in enumerate(layers[source.column + 1 : target.column], start=1):
        share = number / (target.column - source.column)
        wanted = source.y + share * (target.y - source.y)
        gaps = [node.y - ROW_HEIGHT / 2 for node in layer] + [layer[-1].y + ROW_HEIGHT / 2]
        between = min(gaps, key=lambda gap: abs(gap - wanted))
        if wanted < gaps[0] or wanted > gaps[-1]:
            between = wanted
        steps.append((layer[0].x, between, layer[0].x + layer[0].width))
    for left, level, right in [*steps, (target.x - 2, target.y, None)]:
        bend = (left - x) / 2
        path += f" C{x + bend:.1f},{y:.1f} {left - bend:.1f},{level:.1f} {left:.1f},{level:.1f}"
        if right is not None:
            path += f" H{right:.1f}"
            x, y = right, level
    return path


def draw(manifest: Mapping[str, Any], page: str | None = None) -> str:
    """Draw the lineage of dbt's ``manifest`` as SVG, readable in light and in dark.

    With a ``page`` (the dbt docs) each box says what its table is, and is a link to it there.
    Pointing at a box shows its edges only.
    """
    layers = layers_of(nodes_of(manifest).values())
    width, height = place(layers)
    nodes = [node for layer in layers for node in layer]
    numbers = {node.id: number for number, node in enumerate(nodes)}

    edges, boxes, rules = [], [], []
    for node in nodes:
        number = numbers[node.id]
        for parent in node.parents:
            edges.append(
                f'<path class="edge from{numbers[parent.id]} to{number}" stroke="{parent.colour}"'
                f' d="{route(parent, node, layers)}" marker-end="url(#tip)"/>'
            )
        rules.append(
            f"svg:has(#n{number}:hover) .edge:not(.from{number}, .to{number}) {{ opacity: .07; }}"
        )
        title = f"<title>{escape(node.description)}</title>" if page else ""
        box = (
            f'<g class="node" id="n{number}">{title}'
            f'<rect x="{node.x:.1f}" y="{node.y - BOX_HEIGHT / 2}" width="{node.width:.1f}"'
            f' height="{BOX_HEIGHT}" rx="5" fill="{node.colour}"/>'
            f'<text x="{node.x + node.width / 2:.1f}" y="{node.y + 4}">{escape(node.name)}</text>'
            "</g>"
        )
        link = f'<a href="{escape(page or "")}#!/{node.kind}/{escape(node.id)}">{box}</a>'
        boxes.append(link if page else box)
    titles = [
        f'<text class="layer" x="{layer[0].x + layer[0].width / 2:.1f}" y="36">'
        f"{escape(layer[0].layer)}</text>"
        for layer in layers
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}"'
            f' viewBox="0 0 {width:.0f} {height:.0f}">',
            "<title>The lineage: seeds, the models of each layer, and who reads them</title>",
            f"<style>{STYLE}{chr(10).join(rules)}</style>",
            '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6"'
            ' orient="auto"><path d="M0,0.5 L8,4 L0,7.5 z" fill="context-stroke"/></marker>',
            f'<rect class="ground" width="{width:.0f}" height="{height:.0f}"/>',
            *titles,
            *edges,
            *boxes,
            "</svg>\n",
        ]
    )


def tables_in_words(manifest: Mapping[str, Any], page: str) -> str:
    """Write into ``page`` (Markdown) what each table of a layer is for, under the layer's heading.

    A heading begins with the layer's name. A table has the first two sentences of its description:
    what a row is, and what it is for.
    """
    layers: dict[str, list[str]] = {}
    for column in layers_of(nodes_of(manifest).values()):
        for node in column:
            sentences = re.split(r"(?<=[.])\s+", node.description.strip())
            row = f"| `{node.name}` | {' '.join(sentences[:2])} |"
            layers.setdefault(node.layer, []).append(row)
    for layer, rows in layers.items():
        table = "\n".join(["| Table | What it is |", "|---|---|", *rows])
        page = re.sub(
            rf"(?m)^(## {layer.capitalize()}\b.*\n\n)[^#]*(?=^## )",
            lambda heading, table=table: f"{heading[1]}{table}\n\n",  # type: ignore[misc]
            page,
        )
    return page
