"""Plan, run, render, publish and verify the reports.

A notebook is run once for both languages; its executed copy becomes a document, the document an HTML page and a PDF,
and its numbers a file of results. What a report was made from is kept in the manifest, so that the next build makes
again only what changed and says why.

parameters   what a notebook lets its reader choose, typed
owned        where may be written, what is ours there, and which names a manifest may give
plan         what has to be made again, and why
engine       papermill engines: in this process (for a warm fork) and on real kernels
run          one report from notebook to finished files, in a process of its own
children     what a notebook started ends with it
prose        markdown with {{names}}, numbers filled in from results
document     an executed notebook as a pandoc document of one language
render       pandoc to HTML, typst to PDF
index        the front page: search and language switch
results      the committed numbers, and how far a new one may lie from them
publish      staging, journal, lock: a report is whole or not there
folder       a whole folder that is there or not, and drafts that a killed run leaves to the next
manifest     what was made from what, and its RO-Crate description
build        all reports, in parallel, with progress
verify       every number again, against the committed ones
"""
