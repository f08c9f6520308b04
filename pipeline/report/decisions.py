"""What was measured for each decision D1-D17 (pipeline/paper/decisions.csv)."""

from pipeline.paper import label, read
from pipeline.report import front

NOT_MEASURED = "not measured in this run"


def decisions(results):
    """The decisions, each with what was measured for it.

    Parameters
    ----------
    results : dict of str to DataFrame
        ablation, front, table1, table2, shares, timing (as the CSV of these names); ``auc``, a float or None;
        ``models``, dict of variant to its provenance; ``labels``, dict of variant to its training gammas;
        ``dataset``, ``scale``, ``gammas`` of the ablation.

    Returns
    -------
    list of dict: id, question, decision, parameter, measured
    """
    rows = read("decisions").fillna("").to_dict("records")
    found = _measured(results)
    return [{**row, "measured": found.get(row["id"], NOT_MEASURED)} for row in rows]


def contradictions():
    """Where the paper contradicts itself: list of dict of point, first, second, our_reading, decision."""
    return read("contradictions").fillna("").to_dict("records")


def _measured(r):
    where = f"{r['dataset']} x{r['scale']}"
    low, upper = r["gammas"]

    def psnr(name, gammas=(low, upper)):
        rows = r["ablation"]
        rows = rows[(rows.method == name) & (rows.gamma_low == gammas[0])
                    & (rows.gamma_upper == gammas[1])]
        return rows.psnr_db.mean()

    def alike(name):
        """PRN with as many patches as a variant has seen."""
        patches = models.get(name, {}).get("patches")
        return next((n for n in ("prn", "prn_seed0", "prn_short") if patches and models.get(n, {}).get("patches") == patches),
                    None if patches else "prn")

    def beside(name, ours, other):
        """PRN and a variant of it after equal patches."""
        patches = models.get(name, {}).get("patches")
        after = f"after {patches:,} patches a scale, " if patches else ""
        return after + db((ours, psnr(alike(name))), (other, psnr(name)))

    def db(*pairs):
        return ", ".join(f"{what} {value:.3f} dB" if value == value else f"{what} not run"
                         for what, value in pairs)

    at = {(row.gamma_low, row.gamma_upper): row for row in
          r["shares"][(r["shares"].dataset == r["dataset"]) & (r["shares"].scale == r["scale"])]
          .itertuples()}
    spread = "; ".join(
        f"{a:g}/{b:g}: {row.share_mild:.0%} mild, {row.share_moderate:.0%} moderate, "
        f"{row.share_severe:.0%} severe" for (a, b), row in at.items() if (a, b) in ((10, 30), (20, 50)))
    times, models = r["timing"], r["models"]
    labels = {name: "labels at {:g}/{:g}".format(*gammas) for name, gammas in r["labels"].items()}
    prn = times[(times.method == "prn") & (times.scale == r["scale"])].groupby("mode").ms_median.first()
    pairs = r["table2"].sort_values(["gamma_upper", "gamma_low"])
    falls = "; ".join(f"{row.gamma_low:g}/{row.gamma_upper:g} {row.psnr_db:.3f} dB, "
                      f"{row.ms_per_image:.1f} ms" for row in pairs.itertuples()
                      if row.gamma_upper == pairs.gamma_upper.max())
    return {
        "D1": f"the text has PSNR and time fall as gamma_low grows; at the largest gamma_upper: {falls}",
        "D2": f"PRN on {where}: " + db(("10/30", psnr("prn", (10, 30))), ("20/50", psnr("prn", (20, 50)))),
        "D3": f"{_separation(r['auc'])}; shares of patches on {where}: {spread}",
        "D5": f"on {where}: {beside('prn_dilation2', 'no hole', 'one hole')}; "
              "without a hole the mild route sees 5x5 LR pixels and the moderate one 9x9, with one 9x9 and 17x17",
        "D6": f"PRN has {models['prn']['parameters']:,} parameters" if "prn" in models else NOT_MEASURED,
        "D7": f"on {where}: {beside('prn_identity', 'added to the output', 'identity channel')}; "
              f"{beside('prn_plain', 'added to the output', 'plain')}",
        "D8": f"on {where}: {beside('prn_no_rolling', 'dilated copies for mild and moderate', 'shared stages')}",
        "D9": f"on {where} at {low:g}/{upper:g}: " + db((_recipe(models, "prn"), psnr("prn")),
                                   (_recipe(models, "prn_modern"), psnr("prn_modern"))),
        "D10": f"patch by patch {prn['paper']:.1f} ms, grouped {prn['grouped']:.1f} ms, with context "
               f"{prn['context']:.1f} ms, whole image {prn['whole']:.1f} ms per image of {where}. "
               f"{front.around(r['front'])}",
        "D11": f"timed on {times.device.iloc[0]}",
        "D13": f"on {where} at {low:g}/{upper:g}: "
               f"{beside('prn_trained_20_50', labels['prn'], labels.get('prn_trained_20_50', 'other labels'))}",
        "D14": "; ".join(f"{phase}: {steps} steps, {images} images" for phase, (steps, images) in
                         models.get("prn", {}).get("phases", {}).items()) or NOT_MEASURED,
        "D15": _authors(r["table1"]),
        "D16": _patches(models, ("prn", "prn_no_rolling", "prn_seed0", "fsrcnn", "fsrcnn_ours")),
    }


def _separation(auc):
    if auc is None:
        return "the 7-layer CNN improves no patch, or every one, by more than 1 dB: no AUC"
    return ("P tells patches that the 7-layer CNN improves by more than 1 dB from the others with an "
            f"AUC of {auc:.3f} (0.5: not at all)")


def _authors(table):
    """How far the authors' models are from Table I."""
    rows = table[table.weights.eq("authors") & table.psnr_db.notna() & table.paper_psnr_db.notna()]
    off = (rows.psnr_db - rows.paper_psnr_db).abs()
    if off.empty:
        return NOT_MEASURED
    worst = rows.loc[off.idxmax()]
    return (f"{(off <= 0.01 + 1e-9).sum()} of {len(off)} cells within 0.01 dB of Table I; farthest "
            f"{label(worst.method)} on {worst.dataset} x{worst.scale}: {worst.psnr_db:.2f} dB, printed "
            f"{worst.paper_psnr_db:.2f}")


def _patches(models, names):
    """Patches of each scale that networks have seen."""
    seen = {name: models[name].get("patches") for name in names if name in models}
    return ", ".join(f"{label(name)} {n:,}" for name, n in seen.items() if n) or NOT_MEASURED


def _recipe(models, name):
    if name not in models:
        return f"{name} (not trained)"
    recipe, border = models[name]["recipe"], models[name].get("options", {}).get("border")
    return (f"{name} ({models[name]['steps']:,} steps, rate {recipe['learning_rate']:g}, {recipe['decay']}, "
            f"batch {recipe['batch']}{', clipped gradients' if recipe.get('clip') else ''}"
            f"{', 2 real pixels around a patch' if border == 'real' else ''})")
