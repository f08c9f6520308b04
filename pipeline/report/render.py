"""report.md, method.md and the self-contained report.html, from CSV, JSON and pictures; no torch."""

import re
from pathlib import Path

import jinja2

from pipeline.io import write_text
from pipeline.report import embed

TEMPLATES = Path(__file__).with_name("templates")
OVERVIEW = ("claims", "All claims with a number, by unit: our value and its 95 % interval, coloured by the "
            "verdict, and the paper's value where it names one.")
FIGURES = [  # file, caption
    ("fig1", "Fig. 1: PSNR against time per image; horizontal bars from the 10th to the 90th "
             "percentile of the repeats. The grey line: no other method is both faster and better. A "
             "hollow marker: the PSNR of the paper, or of the method's own, at the time measured here. PRN without "
             "rolling and FSRCNN trained here, at the places of PRN and FSRCNN, are in Table I."),
    ("fig2", "Fig. 2: patches that the 7-layer CNN improves most and least over bicubic."),
    ("fig3", "Fig. 3: largest response over channels {}."),
    ("fig4", "Fig. 4: the prior P of patches with a gain above 1 dB (severe) and below (mild), their "
             "classes by Eq. 2, and how well P alone tells them apart."),
    ("fig7", "Fig. 7: PSNR and time of PRN at the thresholds of Table II."),
    ("fig8", "Fig. 8: {}. Best PSNR in red, second in blue. Seams in PRN's picture are borders of patches: "
             "as in the paper, each is computed alone."), ("fig9", "Fig. 9: {}, as Fig. 8."),
    ("fig10", "Fig. 10: {}, as Fig. 8."), ("fig11", "Fig. 11: {}, as Fig. 8."),
    ("routes", "Where PRN sends each patch of these images at the current thresholds: mild patches leave "
               "after the early stage, moderate after the middle one, severe take all stages."),
    ("engine", "The engine: (a) time by the share of severe patches, placed at random, and what it would be in "
               "proportion to the MACs; bands from the 10th to the 90th percentile. (b) Error by the distance "
               "from the border of a patch: patches computed alone have seams, patches with real context have none."),
    ("routers", "Routers on one ground: PSNR by the mean products of a patch, between an oracle that knows the "
                "error of each route and random choice, and how much of the gap between them each closes. The "
                "thick line is the paper's router; points: one route or network for all patches."),
    ("front", "Routing against narrower networks: PSNR by time (a) and by products (b). The black line has static "
              "networks, the severe path at these widths trained without routing; each colour is a routed network of "
              "the width written beside it, at three thresholds; triangles: larger patches. Networks of 64 channels that "
              "were trained for other borders of a patch are drawn by patches."),
    ("curves", "Learning curves: PSNR of the severe path on training images that no step takes, the same "
               "ones throughout; the last fifth of a training lowers the rate."),
    ("ladder", "The ladder of trainings: the network of each budget, trained with a cooldown of its own, by "
               "the severe path on the same held-out images. The number is what the last doubling of the patches gained, in dB; a "
               "network is trained enough for a verdict from 0.03 dB down (decision D16)."),
]


RESPONSES = {"vdsr": "after the tenth of the twenty layers of VDSR",
             "cnn7": "after the fourth layer of the 7-layer CNN (the paper shows VDSR)"}


def render(context, folder):
    """Write report.md, method.md and report.html into a folder that holds figures/*.png.

    Parameters
    ----------
    context : dict
        headline, departures, those of `symbols.summary`, narrower, borders, tables, training, comparisons, decisions,
        contradictions, provenance, profile, and pictures: dict of figure to the words for its caption.
    folder : Path
    """
    overview, figures = ([
        {"file": f"figures/{name}", "caption": caption.format(context["pictures"].get(name, "")),
         **embed.figure(folder / "figures" / f"{name}.png")}
        for name, caption in some if (folder / "figures" / f"{name}.png").exists()]
        for some in ([OVERVIEW], FIGURES))
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, autoescape=lambda name: name.endswith("html.j2"))
    environment.filters["slug"] = lambda title: re.sub(r"\W+", "-", title.lower()).strip("-")
    environment.filters["short"] = lambda text: re.sub(r"^([0-9a-f]{12})[0-9a-f]*", r"\1", text)
    environment.filters["cell"] = lambda text: str(text).replace("|", "\\|")  # of a table in Markdown
    for name in ("report.md", "method.md", "report.html"):
        text = environment.get_template(f"{name}.j2").render(**context, overview=overview, figures=figures)
        write_text(folder / name, text.rstrip() + "\n")
