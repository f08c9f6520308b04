"""Two runs side by side, a line for each number that differs, and what changed in one sentence."""

from textwrap import wrap

WIDTH = 80
UNITS = {"psnr_db": "dB", "ablation_psnr_db": "dB", "gain_over_bicubic_db": "dB", "rolling_gain_db": "dB",
         "mild_percent": "points", "severe_percent": "points", "ms_per_image": "%", "speedup_over_whole": "%"}
RELATIVE = ("ms_per_image", "speedup_over_whole")  # their change is a ratio


def flat(tree, prefix=""):
    """Leaves of nested dicts by their dotted paths."""
    found = {}
    for key, value in tree.items():
        path = f"{prefix}{key}"
        found |= flat(value, f"{path}.") if isinstance(value, dict) and value else {path: value}
    return found


def lines(a, b, old, new):
    """The comparison as text of at most 80 columns.

    Parameters
    ----------
    a, b : str
        What the runs are called.
    old, new : dict
        params, metrics, times and verdicts of each, as `flat` gives them; times as
        `pipeline.analysis.tables.time_summary`.

    Returns
    -------
    list of str
    """
    changed = _changed(old["params"], new["params"])
    rows = [_row(key, old["metrics"].get(key), new["metrics"].get(key))
            for key in {**old["metrics"], **new["metrics"]} if old["metrics"].get(key) != new["metrics"].get(key)]
    one, other = old["times"].get("device"), new["times"].get("device")
    noisy, timed = [], []
    for key, (before, after, spread) in _times(old["times"], new["times"]).items():
        if before is None or after is None or abs(after / before - 1) > spread / 100:
            timed.append(_row(key, before, after))
        elif before != after:
            noisy.append(key)
    if one != other:  # ms of two machines say nothing of the change; their ratios do
        timed = [row for row in timed if not row.startswith("ms_per_image")]
    verdicts, unsure = _verdicts(old["verdicts"], new["verdicts"])
    rows += timed + verdicts + unsure
    notes = [f"{len(noisy)} times differ by less than their spread over repeats."] if noisy else []
    if unsure:
        notes.append("*: rests on measured times, and may change when they are measured again.")
    if one != other:
        notes.append("Times of two machines: ms are left out, PRN's speed is against its whole image.")
    body = [f"{'':36}{a[:12]:>12} {b[:12]:>12} {'change':>16}", *rows] if rows else ["No number differs."]
    return [*body, *notes, "", *wrap(f"{_settings(changed)}: {_sentence(old, new)}.", WIDTH)]


def _row(key, before, after):
    """One number: its name, old, new, change with its unit."""
    kind = key.split(".")[0]
    unit, numbers = UNITS.get(kind, ""), isinstance(before, (int, float)) and isinstance(after, (int, float))
    change = "" if numbers else "new" if before is None else "gone" if after is None else "other"
    if numbers and kind in RELATIVE:
        change = f"{100 * (after / before - 1):+.0f} {unit}"
    elif numbers:
        change = f"{round(after - before, 3):+g} {unit}".strip()
    shown = ["-" if value is None else f"{value:g}" if isinstance(value, (int, float)) else str(value)[:12]
             for value in (before, after)]
    return f"{key[:36]:36}{shown[0]:>12} {shown[1]:>12} {change:>16}".rstrip()


def _verdicts(old, new):
    """Two lists of rows: counts of cells and claims whose verdict differs, and what rests on measured times."""
    one, other = ({kind: {name: key.split(".")[1] for key, names in run.items() if key.startswith(f"{kind}.")
                          for name in names} for kind in ("claim", "timed")} for run in (old, new))
    listed = one["claim"] and other["claim"]  # a report of an older revision has counts alone
    counts = [_row(key, old.get(key), new.get(key)) for key in {**old, **new} if "." not in key
              and old.get(key) != new.get(key) and not (listed and key.startswith("claims_"))]
    changed = {kind: [f"{name[:35]:36}{f'{before} -> {after}{mark}':>42}" for name in one[kind] | other[kind]
                      if (before := one[kind].get(name, "none")) != (after := other[kind].get(name, "none"))]
               for kind, mark in (("claim", ""), ("timed", " *")) if listed}
    return counts + changed.get("claim", []), changed.get("timed", [])


def _times(old, new):
    """Each time with the larger spread of both, per cent; a ratio of two times has the spread of both."""
    found = {}
    for key in {**old, **new}:
        kind, _, rest = key.partition(".")
        if kind in RELATIVE:
            names = [rest] if kind == "ms_per_image" else [f"prn.{rest}", f"prn_whole.{rest}"]
            spread = max(sum(run.get(f"spread_percent.{name}", 0) for name in names) for run in (old, new))
            found[key] = old.get(key), new.get(key), spread
    return found


def _changed(old, new):
    return {key: (old.get(key), new.get(key)) for key in {**old, **new} if old.get(key) != new.get(key)}


def _settings(changed):
    """The parameters that differ: ``gamma_low 10 -> 20``."""
    said = [f"{key} {_value(before)} -> {_value(after)}" for key, (before, after) in changed.items()]
    more = f" and {len(said) - 3} more" if len(said) > 3 else ""
    return ", ".join(said[:3]) + more or "same parameters"


def _value(value):
    return "none" if value is None else f"{value:g}" if isinstance(value, (int, float)) else str(value)


def _sentence(old, new):
    """What PRN lost or gained: quality, time, where its patches go; and the variants that are new."""
    said = []
    scale = next((key.split(".")[1] for key in new["metrics"] if key.startswith("mild_percent.")), "x4")
    psnr, mild = ((old["metrics"][key], new["metrics"][key]) if key in old["metrics"] else None
                  for key in (f"psnr_db.prn.{scale}", f"mild_percent.{scale}"))
    if psnr and round(psnr[1] - psnr[0], 2):
        said.append(f"{abs(psnr[1] - psnr[0]):.2f} dB {'more' if psnr[1] > psnr[0] else 'less'} at {scale}")
    before, after, spread = _times(old["times"], new["times"]).get(f"speedup_over_whole.{scale}", (None, None, 0))
    if before and after and round(100 * (after / before - 1)):
        change = 100 * (after / before - 1)
        words = f"{abs(change):.0f} % {'faster' if change > 0 else 'slower'}"
        said.append(words if abs(change) > spread else f"{words} (within the spread of repeats)")
    if mild and round(mild[1] - mild[0]):
        said.append(f"{abs(mild[1] - mild[0]):.0f} points {'more' if mild[1] > mild[0] else 'fewer'} mild patches")
    said += [f"{key.split('.')[1]} {value:.2f} dB at {scale}" for key, value in new["metrics"].items()
             if key.startswith("psnr_db.") and key.endswith(scale) and key not in old["metrics"]]
    return ", ".join(said) or "PRN as before"
