"""Literal credentials wherever they may have got to: gitleaks over files, history, packages, images and logs."""
