"""Specs: what is asked, as frozen and validated values. Nothing here imports torch.

A ``Study`` (study.py) holds a ``Recipe`` (recipe.py), the ``Search`` of its spaces (search.py,
space.py), seeds and claims; files.py reads one from Python, YAML or JSON, and error_messages.py
says what is wrong with it. A recipe's parts are ``Component`` objects (component.py), looked up by
name in ``core.registry``: no module here imports an optimizer, a model or a data set. arms.py
crosses the levels (levels.py) into arms; a recipe without spaces is a ``ResolvedRecipe``
(resolved.py), and with a seed a ``Run``. keys.py names runs and studies by hashes.

What a spec's plain form holds goes into the keys of stored runs: a field that is added, renamed or
given another default trains everything again. tests/spec holds the forms, the keys and the
messages.
"""
