"""One offline HTML file a study."""
