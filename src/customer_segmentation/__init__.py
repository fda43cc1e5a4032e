"""What SQL can't do well: the steps of customer_segmentation that need scikit-learn and SciPy.

dbt's Python models call these functions; each takes and returns plain data frames.
"""
