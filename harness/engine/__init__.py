"""The engine: trains cohorts of runs of one shape, from the recipe to their outcomes.

How an update comes about, from the outside in:

- ``cohort.start`` makes the state of a cohort, ``loop.advance`` trains it from one evaluation to
  the next; ``leaving`` takes out members that end, ``recording`` adds points to their curves.
- ``program`` is what the members share and holds no state: network, loss, data, lengths.
- ``update.make_update`` makes one update of all members: ``batches`` gives the samples,
  ``differentiate`` the gradient, ``regularize`` changes it, ``optimizer_groups`` moves the weights.
- ``external`` does the same for one run by another library's optimizer.
- ``probing`` shows an update to the probes, ``evaluate`` measures loss and accuracy.

Shapes are named by their letters: K members, P numbers of a row of weights (padding included), C
some of these columns, B samples of a batch, N samples, D outputs, S updates. Every random number
comes from a named stream, and a member's numbers depend on its own row alone: nothing here may mix
members. The engine knows nothing of processes, stores or the search.
"""
