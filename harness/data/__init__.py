"""Data sets, one file a source; :mod:`harness.data.base` splits and transforms all of them alike.

Arrays are NumPy's throughout; the engine puts them on a device. Nothing is ever downloaded.
"""
