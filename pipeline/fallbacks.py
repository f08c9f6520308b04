"""What a run fell back on: for the first lines of the report and for provenance.json."""

PAPER_TESTS = ("set5", "set14", "bsds100", "urban100")
PAPER_TRAINING = ("voc2012", "bsds200")


def fallbacks(models, test_sets, training_sets, machine, table):
    """Everything that is not what a reader would take for granted, in words.

    Parameters
    ----------
    models : dict of str to dict
        The provenance of each variant's weights.
    test_sets, training_sets : list of str
    machine : dict, as machine.json
    table : DataFrame, as table1.csv

    Returns
    -------
    dict of str to str; what is as in the paper, or was measured in full precision here, is left out
    """
    trained = {name: m for name, m in models.items() if m["steps"]}
    published = sorted(name for name, m in trained.items() if m.get("published"))
    on_cpu = [name for name, m in trained.items() if "CPU" in m["device"]]
    reduced = sorted({m["precision"] for m in [*trained.values(), machine]
                      if m.get("precision", "float32") != "float32"})
    other = [name for name in test_sets if name not in PAPER_TESTS]
    missing = [name for name in PAPER_TESTS if name not in test_sets]
    stand_in = [name for name in training_sets if name not in PAPER_TRAINING]
    cited = list(dict.fromkeys(table[table.source == "cited"].method))
    rows = {
        "No GPU": "; ".join(filter(None, [
            f"times are of a CPU, {machine['device']}" if machine.get("kind") != "cuda" else "",
            f"{len(on_cpu)} of {len(trained)} networks were trained on one" if on_cpu else ""])),
        "Precision": f"computed in {', '.join(reduced)}, not in float32" if reduced else "",
        "Other test images": f"{', '.join(other)} in place of {', '.join(missing) or 'none'}" if other
        else f"without {', '.join(missing)}" if missing else "",
        "Stand-in training images": f"{', '.join(stand_in)}; the paper: VOC2012, then BSDS200"
        if stand_in else "",
        "Published weights": f"{', '.join(published)}: not trained in this run" if published else "",
        "Cited figures": f"{', '.join(cited)}: the paper's figures, not measured here" if cited else "",
    }
    return {what: words for what, words in rows.items() if words}
