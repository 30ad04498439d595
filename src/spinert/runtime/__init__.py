"""From a study to findings: reading, networks, pipelines, reports."""
