"""A recipe that trains in no time."""

import harness as h

RECIPE = h.Recipe(
    data="iris", model=h.MLP(widths=(4,)), optimizer=h.SGD(lr=0.1), batch_size=32, epochs=2
)
