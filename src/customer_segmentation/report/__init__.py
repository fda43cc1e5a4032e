"""The report: one page that marketing opens, made of what the build left in the database.

``shop`` reads, each module of ``sections`` makes one section (a sentence for every plot, and the
table behind it), ``page`` writes them as one file that needs no network. To add a section, write a
module with a function that takes a ``Shop`` and returns a ``Section``, and name it in ``sections``.
"""
