# Prints the table of scripts/demo from the JSON that `pith eval` and `pith bench` left in a folder.
import json
import os
import sys


def load(folder, name):
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def accuracy(e):
    if e is None:
        return "-"
    low, high = e["ci95"]
    return f"{100 * e['value']:.2f} % ({100 * low:.2f} .. {100 * high:.2f})"


def main(folder, source):
    original = os.path.getsize(source)
    has_real = load(folder, "fp32.real.json") is not None
    head = ["precision", "file", "of the original", "drawn digits, top-1 (95 %)", "median", "peak memory", "anonymous"]
    if has_real:
        head.insert(4, "real data, top-1 (95 %)")
    rows = [head]
    for precision in ("fp32", "fp16", "int8"):
        e = load(folder, precision + ".eval.json")
        b = load(folder, precision + ".bench.json")
        size = os.path.getsize(os.path.join(folder, precision + ".pith"))
        row = [precision, f"{size / 1000:.0f} kB", f"{100 * size / original:.1f} %", accuracy(e), f"{b['median_ms']:.3f} ms",
               f"{b['peak_rss_bytes'] / 1e6:.1f} MB", f"{b['anonymous_bytes'] / 1e6:.1f} MB"]
        if has_real:
            row.insert(4, accuracy(load(folder, precision + ".real.json")))
        rows.append(row)
    widths = [max(len(r[i]) for r in rows) for i in range(len(head))]
    print()
    print(f"{source}: {original / 1000:.0f} kB; {load(folder, 'fp32.eval.json')['n']} drawn test digits, "
          "one picture at a time, one thread")
    for r in rows:
        print("  ".join(c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(r, widths))).rstrip())


main(sys.argv[1], sys.argv[2])
