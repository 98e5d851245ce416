"""Configuration: one folder per group, one YAML file per choice. Defaults stand here and nowhere else."""
