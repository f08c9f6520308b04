"""Routing against narrower networks, as the report says it: a sentence, and two tables."""

import pandas as pd

from pipeline.paper import label

CONTROL = "fsrcnn"
NEAR = 0.05  # dB below the whole image that a user does not see
MODES = {"whole": "whole image", "grouped": "the paper's", "context": "real context"}
AROUND = ("prn_x4_w64", "prn_x4_real")  # the same recipe and patches, but for what surrounds a patch
LARGE = "prn_x4_large"
LARGER = "; or zeros, trained on patches of twice the side and as many pixels in all"


def routed(front):
    """Rows with routes of the first network of each width, and those without routes, of front.csv."""
    some = _routed(front)
    return (some[some.groupby("width").method.transform("first") == some.method],
            front[(front["mode"] == "whole") & front.routes.eq(1)])


def otherwise(front):
    """Rows with routes of the other networks of a width: trained otherwise."""
    return _routed(front).drop(routed(front)[0].index)


def _routed(front):
    return front[front["mode"] != "whole"]


def best(front):
    """The setting of each routed network that is furthest above the static front at equal time, by width."""
    some = routed(front)[0].dropna(subset="at_time_db")
    return some.loc[some.groupby("width").at_time_db.idxmax()].sort_values("width")


def shares(front):
    """The mean costs of the routed rows, in the severe path's products, in words."""
    costs = [f"{cost:.2f}" for cost in sorted(routed(front)[0].cost.unique())]
    return " and ".join(filter(None, [", ".join(costs[:-1]), *costs[-1:]])) or "none"


def table(front):
    """Static networks, then the best setting of each routed one, as text."""
    rows = [{"network": label(x.method), "borders": "whole image", "psnr_db": f"{x.psnr_db:.3f}",
             "ratio": f"{x.ratio:.2f}", "macs": f"{x.macs / 1e9:.3f}", "at_time": "–", "at_macs": "–"}
            for x in routed(front)[1].sort_values("ms").itertuples()]
    rows += [{"network": label(x.method), "borders": f"{MODES[x.mode]}, {x.patch:g}", "psnr_db": f"{x.psnr_db:.3f}",
              "ratio": f"{x.ratio:.2f}", "macs": f"{x.macs / 1e9:.3f}", "at_time": interval(x, "at_time"),
              "at_macs": interval(x, "at_macs")} for x in best(front).itertuples()]
    return pd.DataFrame(rows)


def patches(front, scale):
    """Sides of the widest routed network's patches, at the cost that all of them have, as text."""
    some = _middle(routed(front)[0])
    return pd.DataFrame([
        {"patch": f"{x.patch // scale:g}", "borders": MODES[x.mode], "psnr_db": f"{x.psnr_db:.3f}",
         "loss": f"{x.loss_db:.3f}", "macs": f"{x.macs / 1e9:.3f}", "ms": f"{x.ms:.2f}",
         "speedup": f"{x.speedup:.2f}"} for x in some.sort_values(["mode", "patch"]).itertuples()])


def borders(front):
    """The widest routed networks, trained in different ways, at the cost that all sides of patches have, as text."""
    some = _middle(_routed(front))
    some = some[some.patch == some.patch.min()]
    if some.method.nunique() < 2:
        return pd.DataFrame()
    whole = front[front["mode"] == "whole"].set_index("method").psnr_db
    context = some[some["mode"] == "context"].set_index("method").psnr_db
    return pd.DataFrame([
        {"network": label(x.method), "alone": f"{x.psnr_db:.3f}", "over": interval(x, "over_first"),
         "context": f"{context[x.method]:.3f}" if x.method in context else "–", "whole": f"{whole[x.method]:.3f}",
         "macs": f"{x.macs / 1e9:.3f}", "speedup": f"{x.speedup:.2f}"}
        for x in some[some["mode"] == "grouped"].itertuples()])


def around(front):
    """What 2 pixels of the image around each patch are worth; empty where it was not measured."""
    plain, real = AROUND
    found = _middle(_routed(front))
    found = found[(found["mode"] == "grouped") & (found.patch == found.patch.min())].set_index("method")
    if not {*AROUND} <= {*found.index}:
        return ""
    row, whole = found.loc[real], front[front["mode"] == "whole"].set_index("method").macs[real]
    return (f"Of two networks for ×4 alone, of one recipe and the same patches, the one that is trained and used with 2 LR pixels of the image "
            f"around each patch, for its first layer and bicubic, gains {interval(row, 'over_first')} dB; it is then {row.loss_db:.2f} dB below its own whole "
            f"image, with zeros {found.loss_db[plain]:.2f} (thresholds that spend {row.cost:.2f} of the severe path's "
            f"products on training images, {row.macs / whole:.2f} on these; one seed). ")


def spent(front):
    """Of the rows that `borders` and `patches` show, as text: cost on training images, GMACs of the whole image here."""
    some = _middle(_routed(front))
    whole = front.macs[(front["mode"] == "whole") & front.method.isin(some.method)].max()
    return {"cost": f"{some.cost.max():.2f}", "whole": f"{whole / 1e9:.3f}",
            "larger": LARGER if LARGE in some.method.values else ""}


def _middle(some):
    """Rows of the widest networks at the cost that all sides of patches have."""
    some = some[some.width == some.width.max()]
    return some[some.cost == some.cost[some.patch == some.patch.max()].max()]


def _near(some):
    """How fast the widest networks are by routes that lose next to nothing."""
    some = some[(some.width == some.width.max()) & (some.loss_db <= NEAR)]
    what = f"within {NEAR:g} dB of the same network on the whole image"
    if some.empty:
        return f"No setting of the widest networks is {what}"
    top = some.loc[some.speedup.idxmax()]
    return (f"The fastest setting of the widest networks {what} takes {1 / top.speedup:.2f} times its time "
            f"({label(top.method)}, {MODES[top['mode']]}, {f'{-top.loss_db:+.3f}'.replace('-', '−')} dB)")


def interval(row, name):
    """A mean above the front in dB with its interval, signs as typeset."""
    value, low, high = (getattr(row, f"{name}_{part}", None) for part in ("db", "low", "high"))
    if pd.isna(value):
        return "–"
    between = "" if pd.isna(low) else f" [{low:+.3f}, {high:+.3f}]"
    return f"{value:+.3f}{between}".replace("-", "−")


def words(front):
    """The answer: does routing beat a narrower network, at equal time and with equal products; what is nearly free?"""
    if best(front).empty:
        return "No routed network here that is as expensive as the narrowest one without routing. "
    said = []
    for name, equal, fewer in (("at_time", "In equal time", "takes no more time"),
                               ("at_macs", "With equal products", "makes no more products")):
        some = routed(front)[0].dropna(subset=f"{name}_db")
        top = some.loc[some[f"{name}_db"].idxmax()]
        low = some[f"{name}_low"].fillna(some[f"{name}_db"])
        wins = sorted(some.width[low > 0].unique())
        verdict = (f"{equal}, routing beats narrower networks from {wins[0]:g} channels on (best" if wins else
                   f"No routed network beats one without routing that {fewer} (closest")
        said.append(f"{verdict}: {label(top.method)}, {MODES[top['mode']]}, {interval(top, name)} dB)")
    said.append(_near(_routed(front)))
    control = front[front.method == CONTROL].squeeze()
    faster = front[(front.ratio <= 1) & (front.psnr_db > control.psnr_db)]
    if len(faster):
        top = faster.loc[faster.psnr_db.idxmax()]
        how = "on whole images" if top["mode"] == "whole" else f"routed with {MODES[top['mode']]}"
        said.append(f"{label(top.method)} {how} takes {top.ratio:.2f} of FSRCNN's time and is "
                    f"{top.psnr_db - control.psnr_db:+.3f} dB above it")
    return f"On {front.device.iloc[0]}. {'. '.join(said)}. "
