"""Reports: one offline HTML file a study, an index of a folder of them, and pages that compare
studies or follow one that still runs.

Everything is read from :class:`harness.analysis.results.Results`; nothing here trains, decides a
claim or writes to a store. :mod:`harness.report.page` puts a report together, ``figures`` draws it,
``assets`` has the templates, the style and the script of the page. The commands and
``results.figures`` in notebooks call it.
"""
