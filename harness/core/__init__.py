"""Plain values that every room uses: errors, records, random streams, the layout of weights.

The lowest layer: every other room may import it, and it imports none of them. torch is imported
only when a function first needs it (``lazy``), so that specs and ``--help`` stay quick.
"""
