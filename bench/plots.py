"""The plots of the results, as SVG files that follow the reader's light or dark mode.

A figure is a dot at the median with a whisker from the minimum to the maximum, labelled with its tool.
Each tool has one colour in all plots.
"""
import html
import math
import os
from typing import NamedTuple

import tools

COLOURS = dict(zip(tools.TOOLS, (
    "#e5484d", "#3b82c4", "#7f9cc0", "#4c9a5b", "#c08a2d", "#96752f", "#8e63b5", "#2f9d94",
    "#6aa9a2", "#808a94")))
STYLE = """
text { font-family: system-ui, sans-serif; font-size: 13px; fill: #24292f }
.title { font-size: 16px; font-weight: 600 }
.note, .tick { font-size: 12px; fill: #57606a }
.grid { stroke: #d8dee4 }
.page { fill: #ffffff }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.note, .tick { fill: #9aa4af }
.grid { stroke: #30363d }
.page { fill: #0d1117 }
}
"""
WIDTH, LABELS, MARGIN, LINE = 900, 210, 20, 17
LIMIT = "limit: a minimal program with the fastest known system calls for the work"


class Axis(NamedTuple):
    """A horizontal or vertical axis in pixels: `low` and `high` are values at `start` and `end`."""
    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def at(self, value):
        if self.logarithmic:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self):
        if self.logarithmic:
            first, last = round(math.log10(self.low)), round(math.log10(self.high))
            return [10.0 ** power for power in range(first, last + 1)]
        rough = (self.high - self.low) / 6
        step = next(step for power in (10 ** math.floor(math.log10(rough)),) for step in (
            power, 2 * power, 5 * power, 10 * power) if step >= rough)
        return [self.low + step * n for n in range(int((self.high - self.low) / step + 1e-9) + 1)]


def axis_for(values, start, end, logarithmic):
    """The axis for these values: from 0, or between powers of ten."""
    if logarithmic:
        return Axis(10.0 ** math.floor(math.log10(min(values))),
                    10.0 ** math.ceil(math.log10(max(values))), start, end, True)
    return Axis(0, max(values) * 1.02, start, end)


def number(value):
    return f"{value:,.0f}" if value >= 1 or value == 0 else f"{value:g}"


class Picture:
    """An SVG file, written from top to bottom: y is where the next part begins."""

    def __init__(self, title):
        self.title, self.parts, self.y = title, [], 34
        self.text(MARGIN, self.y, title, "title")
        self.y += 8

    def text(self, x, y, words, kind="", anchor="start", colour=None):
        style = f' style="fill:{colour}"' if colour else ""
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}"{style}>'
                          f'{html.escape(words)}</text>')

    def line(self, points, colour=None, width=1, dashed=False):
        style = (f'stroke="{colour}"' if colour else 'class="grid"') + (
            ' stroke-dasharray="5 4"' if dashed else "")
        self.parts.append(f'<polyline fill="none" {style} stroke-width="{width}" points="' + " ".join(
            f"{x:.1f},{y:.1f}" for x, y in points) + '"/>')

    def dot(self, x, y, colour, radius=4):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"/>')

    def note(self, words):
        self.y += LINE
        self.text(MARGIN, self.y, words, "note")

    def panel(self, title, unit, rows, logarithmic=False):
        """A row for each of rows: (label, {tool: (median, minimum, maximum)})."""
        values = [value for _, cells in rows for cell in cells.values() for value in cell]
        across = axis_for(values, LABELS, WIDTH - 175, logarithmic)
        self.y += 26
        self.text(MARGIN, self.y, f"{title}: {unit}")
        self.y += 14
        top = self.y
        grid = len(self.parts)
        for label, cells in rows:
            self.y += 6
            middle = self.y + LINE * (len(cells) + 1) / 2
            self.text(LABELS - 12, middle, label, anchor="end")
            for tool in sorted(cells, key=list(tools.TOOLS).index):
                self.y += LINE
                self.whisker(across, cells[tool], tool)
            self.y += 8
        bottom = self.y
        for tick in across.ticks():
            x = across.at(tick)
            self.parts.insert(grid, f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>')
            self.text(x, bottom + 15, number(tick), "tick", "middle")
        self.y = bottom + 18

    def whisker(self, across, cell, tool):
        median, least, most = (across.at(value) for value in cell)
        colour, y = COLOURS[tool], self.y - 4
        self.line([(least, y), (most, y)], colour, 2)
        self.dot(median, y, colour)
        self.text(most + 8, self.y, f"{tool} {short(cell[0])}", colour=colour)

    def write(self, path):
        height = self.y + MARGIN
        with open(path, "w", encoding="utf-8") as out:
            out.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}" '
                      f'viewBox="0 0 {WIDTH} {height:.0f}" role="img">\n'
                      f'<title>{html.escape(self.title)}</title>\n<style>{STYLE}</style>\n'
                      f'<rect class="page" width="100%" height="100%"/>\n')
            out.write("\n".join(self.parts) + "\n</svg>\n")


def short(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def spread_of(row, key):
    cells = {}
    for tool in tools.TOOLS:
        values = row.values(tool, key)
        if values:
            cells[tool] = (row.median(tool, key), min(values), max(values))
    return cells


def processor_of(row):
    """CPU seconds per GB of sender and receiver together, over the rounds."""
    cells = {}
    for tool in tools.TOOLS:
        sides = [row.values(tool, "cpu " + side) for side in ("send", "receive")]
        sums = [sum(pair) / row.gigabytes for pair in zip(*sides)]
        if sums:
            cells[tool] = (sorted(sums)[len(sums) // 2], min(sums), max(sums))
    return cells


def draw(done, folder):
    """Draws what was measured of: rows of report.Row by name."""
    def save(picture, name):
        picture.write(os.path.join(folder, name + ".svg"))

    def of(*kinds):
        return [row for row in done.values() if row.work.kind in kinds and row.figures]

    copied = [row for row in of("stream", "both") if row.work.sink != "null"]
    dropped = [row for row in of("stream") if row.work.sink == "null"]
    panels = [("Between files or pipes", copied), ("Into /dev/null, the sockets alone", dropped)]
    for name, title, unit, cells_of in (
            ("throughput", "Throughput on loopback", "GB/s", lambda row: spread_of(row, "rate")),
            ("cpu", "CPU time, sender and receiver together", "CPU seconds per GB", processor_of)):
        if not copied and not dropped:
            break
        picture = Picture(title)
        for panel, rows in panels:
            if rows:
                picture.panel(panel, unit, [(row.work.title, cells_of(row)) for row in rows])
        picture.note("Dot: median of the rounds. Line: minimum to maximum.")
        picture.note(LIMIT)
        save(picture, name)
    datagrams = of("udp")
    if datagrams:
        picture = Picture("Datagrams on loopback")
        picture.panel("Sent and received", "millions a second, logarithmic", [
            (f"{row.work.length:,} bytes, {key}", spread_of(row, key))
            for row in datagrams for key in ("sent", "received")], True)
        picture.note(LIMIT)
        save(picture, "datagrams")
    # Of each length the first row.
    messages = {row.work.length: row for row in reversed(of("frames"))}
    if messages:
        picture = Picture("Lines to u32be messages over TCP and back")
        picture.panel("By the length of a line", "thousand messages a second, logarithmic", [
            (f"{length:,} bytes", spread_of(messages[length], "rate")) for length in sorted(messages)], True)
        picture.note(LIMIT)
        save(picture, "messages")
    turns = of("turns")
    if turns:
        picture = Picture("A request of 64 bytes and its reply")
        picture.panel("Time until the reply", "µs", [
            (key, spread_of(row, key)) for row in turns for key in ("p50", "p99")])
        picture.note(LIMIT)
        save(picture, "latency")


def draw_scale(panels, path):
    """Latency over the number of clients. panels: (title, {tool: {figure: [(clients, µs)]}})."""
    picture = Picture("Request and reply beside idle clients")
    picture.y += 14
    top, bottom, half = picture.y + 40, picture.y + 320, (WIDTH - 2 * MARGIN) / 2
    for index, (title, curves) in enumerate(panels):
        left = MARGIN + index * half + 46
        across = Axis(1, 10000, left, left + half - 150, True)
        down = axis_for([us for figures in curves.values() for points in figures.values()
                         for _, us in points], bottom, top, False)
        picture.text(left, top - 16, title)
        for tick in down.ticks():
            picture.line([(left, down.at(tick)), (across.end, down.at(tick))])
            picture.text(left - 6, down.at(tick) + 4, number(tick), "tick", "end")
        for tick in across.ticks():
            picture.text(across.at(tick), bottom + 16, number(tick), "tick", "middle")
        labels = []
        for tool, figures in curves.items():
            for figure, points in figures.items():
                placed = [(across.at(clients), down.at(us)) for clients, us in points]
                picture.line(placed, COLOURS[tool], 2, figure == "p99")
                for x, y in placed:
                    picture.dot(x, y, COLOURS[tool], 3)
                labels.append((placed[-1][1] + 4, f"{tool} {figure}", COLOURS[tool]))
        # From the bottom up, each at the end of its line or above the one below.
        free = bottom + 14
        for y, words, colour in sorted(labels, reverse=True):
            free = min(y, free - 14)
            picture.text(across.end + 12, free, words, colour=colour)
    picture.y = bottom + 30
    picture.note("Up: µs until the reply, p50 and (dashed) p99. Across: clients connected, logarithmic.")
    picture.note(LIMIT)
    picture.write(path)
