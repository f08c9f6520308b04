"""What the claims are judged by: the results of a run, and how far its trainings went."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.analysis import ladder, statistics
from pipeline.analysis.tables import depth_variants
from pipeline.paper import label

FULL_PATCH = 54  # HR pixels: the paper's patch
ENGINE = "grouped"  # the mode of timing.csv that is meant where PRN's time is meant


@dataclass(frozen=True)
class Results:
    """Tables of one run, by the names of their files.

    Attributes
    ----------
    table1, table3, table4, routers, quality, ablation, one_scale, times, gains, priors : DataFrame
    routed_psnr, reconstruction, responses : DataFrame
        `routed_psnr` is classes.csv; `times` and `reconstruction` are raw repeats.
    receptive : dict of variant to route to side, side_95
    models : dict of variant to its provenance
    options : dict of PRN variant to its options
    repeats : dict of variant to the variants that repeat it with another seed, itself first
    dataset, scale, gammas : of Fig. 7, Tables III and IV
    routing : (gamma_low, gamma_upper) of Table I
    tolerances : the section ``claims`` of params.yaml: bicubic_psnr_db, bicubic_ssim, trained_psnr_db,
        trained_ssim, time_ratio, budget, doubling_db, and paper_patches, dict of network to a number
    seed : int
    """

    table1: pd.DataFrame
    table3: pd.DataFrame
    table4: pd.DataFrame
    routers: pd.DataFrame
    quality: pd.DataFrame
    ablation: pd.DataFrame
    one_scale: pd.DataFrame
    times: pd.DataFrame
    gains: pd.DataFrame
    priors: pd.DataFrame
    routed_psnr: pd.DataFrame
    reconstruction: pd.DataFrame
    responses: pd.DataFrame
    receptive: dict
    models: dict
    options: dict
    repeats: dict
    dataset: str
    scale: int
    gammas: tuple
    routing: tuple
    tolerances: object
    seed: int

    def scores(self, method, dataset, scale, metric="psnr_db"):
        """Of each image, indexed by its name; empty if there are none."""
        q = self.quality
        rows = q[(q.method == method) & (q.dataset == dataset) & (q.scale == scale)]
        return rows.set_index("image")[metric]

    def ablated(self, name, gammas=None):
        """PSNR of each image: the mean over seeds, or of one training at other thresholds."""
        low, upper = gammas or self.gammas
        names = [name] if gammas else self.seeds(name)  # one seed alone is swept
        rows = self.ablation[(self.ablation.gamma_low == low) & (self.ablation.gamma_upper == upper)]
        rows = rows[rows.method.isin(names)]
        return rows.groupby("image").psnr_db.mean()

    def compared(self, name):
        """The training of a variant that others of fewer patches are compared with: NAME_seed0, where there is one."""
        return f"{name}_seed0" if f"{name}_seed0" in self.repeats else name

    def seeds(self, name):
        """The trainings of a variant that went equally far, `compared` first."""
        return self.repeats.get(self.compared(name), [name])

    def trainings(self, name):
        """How many seeds of a variant were scored."""
        return max(1, len(set(self.seeds(name)) & set(self.ablation.method)))

    def noise(self):
        """Noise of the mean PSNR between seeds, which went equally far, or None where nothing was repeated."""
        at = self.ablation[(self.ablation.gamma_low == self.gammas[0])
                           & (self.ablation.gamma_upper == self.gammas[1])]
        means = at.groupby("method").psnr_db.mean()
        return statistics.seed_noise([means[means.index.isin(g)] for g in self.repeats.values()
                                      if self.models[g[0]]["steps"] == self.models[self.compared("prn")]["steps"]])

    def ms(self, method, mode, gammas=None):
        """Time of each repeat; empty if it was not measured."""
        return self._timed(method, mode, gammas).sort_values("repeat").ms.to_numpy()

    def _timed(self, method, mode, gammas):
        t = self.times
        rows = t[(t.method == method) & (t["mode"] == mode) & (t.scale == self.scale)]
        if gammas is None:
            return rows
        return rows[(rows.gamma_low == gammas[0]) & (rows.gamma_upper == gammas[1])]

    def macs(self, method, mode, gammas=None):
        """MACs per image of a timed job."""
        return self._timed(method, mode, gammas).macs.iloc[0]

    def depths(self):
        """dict of (stage, depth) of Table III to the variant."""
        return depth_variants(self.options)

    def savings(self, dataset):
        """MACs that routing saves of each image, against the severe path for every patch: 0 to 1."""
        per_pixel = self.models["prn"]["macs_per_lr_pixel"][f"x{self.scale}"]
        rows = self.priors[(self.priors.dataset == dataset) & (self.priors.scale == self.scale)]
        mild, severe = rows.prior <= self.routing[0], rows.prior >= self.routing[1]  # Eq. (2)
        macs = np.select([mild, severe], [per_pixel["mild"], per_pixel["severe"]], per_pixel["moderate"])
        return pd.Series(1 - macs / per_pixel["severe"], rows.image).groupby(level=0).mean()


def shortfall(results, names, scales=()):
    """Why a verdict on trained networks would be unfair, and what would settle it; else an empty text.

    Enough is (decision D16) where the last doubling of the patches gained ``claims.doubling_db`` at most
    on held-out training images at the scales of the verdict (empty: at all), or where a network has seen
    ``claims.budget`` of the paper's patches of 54x54 at each scale.  Those of the 7-layer CNN are fewer
    (section III); all others are held to PRN's.
    The authors' own models, and what is fitted or has nothing to learn, are trained enough.
    """
    t, short = results.tolerances, {}
    for name in names:
        model = results.models.get(name)
        if model and model["steps"] and "batch" in model["recipe"] and model.get("weights") != "authors":
            recipe, full = model["recipe"], t.paper_patches.get(name, t.paper_patches["prn"])
            patches = model.get("patches", model["steps"] * recipe["batch"])  # of each scale
            seen, gain = patches * (recipe["crop"] / FULL_PATCH) ** 2, ladder.last_doubling(model, scales)
            if seen < t.budget * full and (gain is None or gain > t.doubling_db):
                at = min(t.budget * full, ladder.settled_at(model, t.doubling_db, scales) or np.inf)
                slope = "" if gain is None else f", {gain:+.3f} dB by the last doubling"
                said = f"{label(name)} {seen:,.0f} patches a scale{slope}"
                short.setdefault(at, []).append(said)
    return "; ".join(f"trained too little: {', '.join(said)}; {at:,.0f} would settle it, by extrapolation"
                     for at, said in short.items())


def repeats(variants, models):
    """Variants that differ in their seed alone and went equally far, by the first of them.

    Parameters
    ----------
    variants : dict of name to dict
        As in params.yaml; ``seed`` is left out of the comparison.
    models : dict of name to provenance
        Of all these; ``steps`` have to be equal.  Of two with the same seed the first one counts.
    """
    groups = {}
    for name, variant in variants.items():
        key = repr(sorted((k, v) for k, v in variant.items() if k not in ("seed", "profiles", "further")))
        groups.setdefault((key, models[name]["steps"]), {}).setdefault(variant["seed"], name)
    return {names[0]: names for names in map(list, map(dict.values, groups.values()))}
