"""The protocol of the compared papers: PSNR and SSIM of a method on an image."""
