"""Replication of PRN: content-adaptive representation learning for fast image super-resolution.

Shapes and units used in every docstring:

=========  =====================================================================
N          patches; B images of a batch
h, w       height and width of a low-resolution (LR) image, pixels
H, W       the same of a high-resolution (HR) image: H = scale * h, W = scale * w
p, P       side of an LR and of an HR patch, pixels; P = scale * p
Y          luma of BT.601 YCbCr; "[0, 1]" means 8-bit values divided by 255
route      MILD, MODERATE or SEVERE of `pipeline.sr.prior` (Eq. 2)
dB, ms     units of PSNR and of time; MACs are multiply-accumulate operations
=========  =====================================================================

Packages, and what each may import::

    io <- data                                  files, images
    sr <- models <- training                    networks, Algorithm 1
    sr <- engine <- timing, upscale             the adaptive engine, clocks, the tool
    sr, data <- evaluation <- experiments       scores
    paper <- analysis, report                   tables, verdicts, pages; no torch

`config` reads params.yaml, for the stages alone.
"""
