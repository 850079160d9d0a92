"""Runs that were trained elsewhere, recorded as a study: from tables, MLflow and Weights & Biases.

:func:`harness.protocol.imported.frame.from_frame` is what all sources come to: ``columns`` says
what a table's columns are, ``tidy`` makes runs of its rows, ``pairing`` numbers their seeds,
``question`` builds the study that they answer, and ``store`` records it.
"""
