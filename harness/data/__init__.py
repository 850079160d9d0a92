"""Data sets, one file a source; :mod:`harness.data.prepare` splits and transforms all alike.

Arrays are NumPy's throughout; the engine puts them on a device. Nothing is ever downloaded.
"""
