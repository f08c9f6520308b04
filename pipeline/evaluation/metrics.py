"""PSNR and SSIM as the compared papers measure them."""

import numpy as np
from skimage.metrics import structural_similarity


def psnr(truth, image):
    """Peak signal-to-noise ratio with peak 255.

    Parameters
    ----------
    truth, image : ndarray, same shape, 0..255

    Returns
    -------
    float, dB; inf for equal images
    """
    mse = np.mean((np.asarray(truth, np.float64) - np.asarray(image, np.float64)) ** 2)
    with np.errstate(divide="ignore"):
        return float(10 * np.log10(255**2 / mse))


def ssim(truth, image):
    """Structural similarity as MATLAB's ``ssim``.

    Gaussian 11x11 window of sigma 1.5, K = (0.01, 0.03), population covariance, replicated borders,
    mean over the full map.

    Parameters
    ----------
    truth, image : ndarray, shape (H, W), 0..255

    Returns
    -------
    float
    """
    # scikit-image leaves out a border of 5 pixels; padding by 5 replicated ones makes it the full map
    padded = [np.pad(np.asarray(x, np.float64), 5, mode="edge") for x in (truth, image)]
    return float(structural_similarity(
        *padded, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False))
