"""Turn one argument about private-domain traffic and social commerce into evidence anyone can rerun.

The argument is Xiao (2024), a paper without data of its own. Each claim that can fail becomes a hypothesis, each
hypothesis names the evidence it rests on, one short function tests it, and a verdict says what came out.

The map of the package
----------------------
paper        claims and hypotheses, read from ``paper/*.toml`` and checked
data         registered tables and public data sets: loaders, checksums, downloads
market       the series of Figure 1: growth, curves, rolling-origin errors, forecasts, the audit of the paper's numbers
modes        the two operating mechanisms: declarations, closed forms, diagrams, strategies; run by ``stockflow``
survey       the project's own codebook, truth and sample, for `surveysem`
verdicts     tests on a kind of evidence, verdicts and the rule that turns one into the other
public_data  section 4 tested on public data: effects from committed counts and moments
evidence     one function per hypothesis, the state of every claim, tables of verdicts
figures      one function per figure: result in, axes out, labels in English and Chinese
notebook     what a notebook tells its reader: numbers, tables and figures in two languages
report       what the reports are to be: settings and look for `nbproof`, claims on the front page
cli          the ``socialcommerce`` command

Packages of their own, under ``packages/``: structural equation models and psychometrics (`semfit`); what any survey is
put to (`surveysem`); the engine of the modes, with experiments (`stockflow`); what builds and verifies the reports
(`nbproof`).

Import the module you need, for example ``from socialcommerce import market``; importing the package itself is free.
"""

__version__ = "0.1.0"

__all__ = ["__version__"]
