"""BT.601 luma and chroma, crops."""

import numpy as np

# BT.601, 8-bit RGB in 0..255 to Y in 16..235 and Cb, Cr in 16..240, as MATLAB's rgb2ycbcr
_TO_YCBCR = np.array(
    [[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]]
) / 255
_OFFSET = np.array([16.0, 128.0, 128.0])
_TO_RGB = np.linalg.inv(_TO_YCBCR)


def luma(rgb):
    """Y of BT.601.

    Parameters
    ----------
    rgb : ndarray, shape (H, W, 3) or (H, W), values 0..255
        A grey image is its own luma (section 4 of the protocol).

    Returns
    -------
    ndarray, shape (H, W), float64, 16..235 for a colour image
    """
    rgb = np.asarray(rgb, dtype=np.float64)
    return rgb if rgb.ndim == 2 else rgb @ _TO_YCBCR[0] + _OFFSET[0]


def rgb_to_ycbcr(rgb):
    """BT.601 YCbCr, float64, shape (H, W, 3); RGB in 0..255, not necessarily whole numbers."""
    return np.asarray(rgb, dtype=np.float64) @ _TO_YCBCR.T + _OFFSET


def ycbcr_to_rgb(ycbcr):
    """Inverse of `rgb_to_ycbcr`; not clipped."""
    return (ycbcr - _OFFSET) @ _TO_RGB.T


def modcrop(image, scale):
    """Crop the bottom and right so that both sides are multiples of `scale`."""
    h, w = image.shape[:2]
    return image[: h - h % scale, : w - w % scale]


def shave(image, border):
    """Remove `border` pixels on each side."""
    return image[border:-border, border:-border] if border else image
