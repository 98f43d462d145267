"""The plots of the results: bars by gnuplot, one colour for each tool throughout."""
import os
import subprocess

import tools

COLOURS = dict(zip(tools.TOOLS, (
    "#d1495b", "#6c8ead", "#9fb8cf", "#8aa67f", "#c9a96a", "#a3793d", "#7d5a99", "#4f9d8f",
    "#9ccbc2", "#4a4a4a")))
PREAMBLE = """
set terminal svg size {width},{height} font "sans-serif,13" background "white" noenhanced
set output "{file}"
set style data histogram
set style fill solid 0.9 noborder
set errorbars 0.6 front lc rgb "#222222"
set bmargin 4
set boxwidth 0.9
set grid ytics lc rgb "#dddddd" lt 1
set border 3 lc rgb "#666666"
set xtics nomirror scale 0
set ytics nomirror
set key outside top center horizontal Left reverse samplen 1.5
set datafile missing "?"
"""


def quote(words):
    return '"' + words.replace('"', "") + '"'


def gnuplot(script):
    subprocess.run(["gnuplot"], input=script.encode(), check=True)


def block(name, rows):
    """A data block: one line of quoted label and numbers for each row, ? where there is none."""
    lines = [" ".join([quote(label)] + ["?" if value is None else f"{value:g}" for value in values])
             for label, values in rows]
    return f"${name} << EOD\n" + "\n".join(lines) + "\nEOD\n"


def two_lines(title):
    """Breaks a title near its middle, at an arrow or a blank."""
    places = [at for at, char in enumerate(title) if char == " "]
    if not places:
        return title
    at = min(places, key=lambda place: abs(place - len(title) // 2))
    return title[:at] + "\\n" + title[at + 1:]


def clustered(path, title, unit, rows, spread, extra=""):
    """A group of bars for each of rows: (label, {tool: (median, least, most)})."""
    names = [tool for tool in tools.TOOLS if any(tool in cells for _, cells in rows)]
    width = 3 if spread else 1
    script = PREAMBLE.format(width=1100, height=460, file=path)
    script += f"set title {quote(title)}\nset ylabel {quote(unit)}\nset yrange [0:*]\n" + extra
    script += f"set style histogram {'errorbars gap 1.5 lw 1' if spread else 'clustered gap 1.5'}\n"
    script += block("data", [(label, [value for tool in names for value in cells.get(
        tool, (None,) * 3)[:width]]) for label, cells in rows])
    curves = []
    for index, tool in enumerate(names):
        first = 2 + index * width
        columns = ":".join(str(first + offset) for offset in range(width))
        curves.append(f"$data using {columns}:xtic(1) title {quote(tool)} "
                      f"lc rgb {quote(COLOURS[tool])}")
    gnuplot(script + "plot " + ", \\\n".join(curves) + "\n")


def spread_of(row, key):
    cells = {}
    for tool in tools.TOOLS:
        values = row.values(tool, key)
        if values:
            cells[tool] = (row.median(tool, key), min(values), max(values))
    return cells


def processor(path, rows):
    """Stacked bars, the sender below the receiver; a group for each row."""
    script = PREAMBLE.format(width=1100, height=460, file=path)
    script += ('set title "CPU time"\nset ylabel "CPU seconds per GB"\nset yrange [0:*]\n'
               "set style histogram rowstacked title offset 0,-3.5\nset bmargin 9.5\n"
               "set xtics rotate by -35\n")
    plot = []
    for index, row in enumerate(rows):
        lines = []
        for tool in tools.TOOLS:
            sides = [row.median(tool, "cpu " + side) for side in ("send", "receive")]
            if None not in sides:
                lines.append((tool, [side / row.gigabytes for side in sides]))
        script += block(f"data{index}", lines)
        plot.append(f"newhistogram {quote(row.work.title)}")
        for column, side, colour in ((2, "sender", "#d1495b"), (3, "receiver", "#6c8ead")):
            key = f"title {quote(side)}" if index == 0 else "notitle"
            plot.append(f"$data{index} using {column}:xtic(1) {key} lc rgb {quote(colour)}")
    gnuplot(script + "plot " + ", \\\n".join(plot) + "\n")


def draw(done, folder):
    def path(name):
        return os.path.join(folder, name + ".svg")

    def of(*kinds):
        return [row for row in done.values() if row.work.kind in kinds and row.figures]

    streams = of("stream", "both")
    if streams:
        clustered(path("throughput"), "Throughput on loopback: median, least and most", "GB/s",
                  [(two_lines(row.work.title), spread_of(row, "rate")) for row in streams], True)
        processor(path("cpu"), [row for row in streams if row.work.family == "tcp"][:3] or streams)
    datagrams = of("udp")
    if datagrams:
        clustered(path("datagrams"), "Datagrams on loopback: median, least and most",
                  "millions a second (logarithmic)",
                  [(f"{row.work.length} bytes,\\n{key}", spread_of(row, key))
                   for row in datagrams for key in ("sent", "received")], True,
                  "set logscale y\nset yrange [0.01:*]\n")
    # Of each length the first row.
    messages = {row.work.length: row for row in reversed(of("frames"))}
    if messages:
        clustered(path("messages"), "Lines to u32be over TCP to lines: median, least and most",
                  "thousand messages a second (logarithmic)",
                  [(f"{length:,} bytes", spread_of(messages[length], "rate"))
                   for length in sorted(messages)], True,
                  "set logscale y\nset yrange [0.1:*]\n")
    turns = of("turns")
    if turns:
        clustered(path("latency"), "A request of 64 bytes and its reply: median, least and most",
                  "µs (logarithmic)",
                  [(key, spread_of(row, key)) for row in turns for key in ("p50", "p99")], True,
                  "set logscale y\nset yrange [1:*]\n")
