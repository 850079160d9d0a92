"""Plain values that every room uses: errors, records, random streams, the layout of weights."""
